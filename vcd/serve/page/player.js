// Query and reference side by side, kept in step at the offset and speed of a segment.

const STRIP = 8; // pictures in a strip of thumbnails
const DRIFT_S = 0.06; // less is not seen
const JUMP_S = 0.5; // more is not caught up with by playing faster
const at = (id) => document.getElementById(id);

export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const s = (tenths % 600) / 10, m = Math.floor(tenths / 600) % 60, h = Math.floor(tenths / 36000);
  return `${h ? `${h}:` : ""}${h ? String(m).padStart(2, "0") : m}:${s.toFixed(1).padStart(4, "0")}`;
}

export class Player {
  constructor() {
    at("play").addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    at("position").addEventListener("input", () => this.seek(Number(at("position").value)));
    at("position").addEventListener("change", () => this.showStills());
  }

  open(job, segment) {
    this.stop();
    this.segment = segment;
    const { kind, duration_s: length } = job.result.media;
    const clipUrl = `/api/v1/jobs/${job.id}`;
    const referenceUrl = segment.reference_id === null ? null : `/api/v1/references/${segment.reference_id}`;
    const position = at("position");
    [position.min, position.max, position.value] = [segment.q_start, segment.q_end, segment.q_start];
    this.clip = this.screen("clip", clipUrl, kind === "image" || !length, segment.mirrored);
    this.reference = this.screen("reference", referenceUrl, segment.r_start === segment.r_end, false);
    at("reference-name").textContent = segment.title;
    position.disabled = at("play").disabled = segment.q_start === segment.q_end;
    at("player-note").textContent = "";
    const [from, to] = segment.speed < 0 ? [segment.r_end, segment.r_start] : [segment.r_start, segment.r_end];
    this.strip("clip", clipUrl, segment.q_start, segment.q_end, "the clip");
    this.strip("reference", referenceUrl, from, to, segment.title);
    this.seek(segment.q_start);
  }

  // A film, or a picture: of the file where it is one, else of the moment. Null where a browser cannot show the film.
  screen(side, url, isStill, mirrored) {
    const box = at(`${side}-screen`);
    box.replaceChildren();
    if (url === null) {
      box.textContent = "It has been removed from the library.";
      return null;
    }
    const still = () => {
      const image = document.createElement("img");
      image.dataset.side = side;
      image.dataset.url = url;
      image.alt = side === "clip" ? "The clip at this moment" : "The reference at this moment";
      image.classList.toggle("mirrored", mirrored);
      image.addEventListener("error", () => { box.textContent = "The file is no longer there."; });
      box.replaceChildren(image);
      this.showStills();
    };
    if (isStill) {
      still();
      return null;
    }
    const video = document.createElement("video");
    Object.assign(video, { src: `${url}/media`, muted: true, playsInline: true, preload: "auto" });
    video.setAttribute("aria-label", side === "clip" ? "The clip" : "The reference");
    video.classList.toggle("mirrored", mirrored);
    video.addEventListener("error", () => {
      if (this[side] !== video) return;
      this[side] = null;
      this.pause();
      at("player-note").textContent = "This browser cannot play one of the files; the strips below show the same moments of both.";
      still();
    });
    box.append(video);
    return video;
  }

  // Pictures in place of films that cannot be played show the moment of the position.
  showStills() {
    const clip_s = Number(at("position").value);
    for (const image of document.querySelectorAll(".screen img")) {
      const moment = Math.max(0, image.dataset.side === "clip" ? clip_s : this.matching(clip_s));
      image.src = `${image.dataset.url}/strip?from_s=${moment}&to_s=${moment}&count=1`;
    }
  }

  strip(side, url, from, to, name) {
    const image = at(`${side}-strip`);
    image.hidden = url === null;
    if (url === null) return;
    image.alt = `Pictures of ${name} from ${clock(from)} to ${clock(to)}`;
    image.src = `${url}/strip?from_s=${from}&to_s=${to}&count=${STRIP}`;
  }

  // The moment of the reference that a moment of the clip shows.
  matching(clip_s) {
    const { q_start, r_start, r_end, speed } = this.segment;
    return speed < 0 ? r_end + (clip_s - q_start) * speed : r_start + (clip_s - q_start) * speed;
  }

  now() {
    const { q_start, r_start, speed } = this.segment;
    if (this.clip) return this.clip.currentTime;
    if (this.reference && speed > 0) return q_start + (this.reference.currentTime - r_start) / speed;
    return Number(at("position").value);
  }

  seek(clip_s) {
    if (this.clip) this.clip.currentTime = clip_s;
    if (this.reference) this.reference.currentTime = Math.max(0, this.matching(clip_s));
    this.tell(clip_s);
  }

  tell(clip_s) {
    at("position").value = clip_s;
    at("position").setAttribute("aria-valuetext", `${clock(clip_s)} of the clip, ${clock(this.matching(clip_s))} of the reference`);
    at("clip-time").textContent = clock(clip_s);
    at("reference-time").textContent = clock(Math.max(0, this.matching(clip_s)));
  }

  async play() {
    const { q_start, q_end, speed } = this.segment;
    if (this.now() >= q_end - 0.05) this.seek(q_start);
    this.playing = true;
    at("play").textContent = "Pause";
    const films = [this.clip, speed > 0 ? this.reference : null].filter(Boolean);
    if (this.reference && speed > 0) this.reference.playbackRate = speed;
    try {
      await Promise.all(films.map((film) => film.play()));
    } catch {
      if (!films.length || this.clip === null) this.pause();
    }
    const step = () => {
      if (!this.playing) return;
      this.keepInStep();
      if (this.now() >= q_end) this.pause();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  keepInStep() {
    const { speed } = this.segment;
    const clip_s = this.now();
    this.tell(clip_s);
    if (!this.clip || !this.reference || this.reference.seeking) return;
    const wanted = Math.max(0, this.matching(clip_s));
    const drift = this.reference.currentTime - wanted;
    if (speed < 0 || Math.abs(drift) > JUMP_S) {
      if (Math.abs(drift) > DRIFT_S) this.reference.currentTime = wanted;
    } else {
      this.reference.playbackRate = speed * (Math.abs(drift) > DRIFT_S ? 1 - Math.sign(drift) * 0.15 : 1);
    }
  }

  pause() {
    this.playing = false;
    at("play").textContent = "Play both";
    this.clip?.pause();
    this.reference?.pause();
  }

  stop() {
    this.pause();
    this.clip = this.reference = null;
    for (const side of ["clip", "reference"]) at(`${side}-screen`).replaceChildren();
  }
}
