"""Numbers about the service for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900)


class Metrics:
    """All counters, in a registry of their own, so that two services in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "vcd_http_requests", "Requests by route and status.", ["method", "route", "status"], registry=self.registry
        )
        self.request_s = Histogram(
            "vcd_http_request_seconds", "Time to answer a request, uploads and waiting included.", ["route"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.jobs = Counter(
            "vcd_jobs", "Jobs that ended, by kind and state.", ["kind", "state"], registry=self.registry
        )
        self.job_s = Histogram(
            "vcd_job_seconds", "Time that a job ran, waiting not included.", ["kind"], buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.queued = Gauge("vcd_jobs_queued", "Jobs that wait.", registry=self.registry)
        self.running = Gauge("vcd_jobs_running", "Jobs that run.", registry=self.registry)
        self.upload_bytes = Counter("vcd_upload_bytes", "Bytes of uploads taken in.", registry=self.registry)
        self.references = Gauge("vcd_library_references", "References in the library.", registry=self.registry)
        self.openings = Gauge("vcd_library_openings", "Times the library was opened.", registry=self.registry)
