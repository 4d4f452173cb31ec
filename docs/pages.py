"""Pages that are made from the code and the committed results when the documentation is built."""

import ast
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click
from typer.main import get_command

from vcd.cli.main import app

ROOT = Path(__file__).parent.parent
CURVES = "docs/images/training.png"
PLOT = "benchmarks/results/quick/plots/matrix.png"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs: adds the pages."""
    for name, content in pages().items():
        files.append(File.generated(config, name, content=content))
    files.append(File.generated(config, "images/edits.png", abs_src_path=str(ROOT / PLOT)))
    return files


def pages() -> dict[str, str]:
    """Markdown by the name of its page."""
    readme = _read("README.md")
    tables = readme[readme.index("## Accuracy") : readme.index("## More")].replace(PLOT, "images/edits.png")
    tables = re.sub(r"\[([^]]+)\]\(benchmarks/[^)]+\)", r"`\1`", tables)
    return {
        "commands.md": commands(),
        "settings.md": settings(),
        "library.md": _read("indexes/README.md").replace("# indexes", "# Library on disk", 1),
        "model.md": _read("vcd/describe/shipped/vcd-rmac.md").replace(f"`{CURVES}`", "![Curves](images/training.png)"),
        "benchmarks.md": f"# Benchmarks\n\n{tables}",
    }


def commands() -> str:
    """Every command with its arguments and options, as its own help says it."""
    program = get_command(app)
    with program.make_context("vcd", [], resilient_parsing=True) as context:
        return get_docs_for_click(obj=program, ctx=context, name="vcd").replace("# `vcd`", "# Commands", 1)


def settings() -> str:
    """Every preset as it stands, and every setting with its type, its default and its meaning, from `vcd/config.py`."""
    parts = ["# Presets and settings\n\n`--config NAME` takes a preset, `--config FILE` a TOML file of yours.\n"]
    presets = sorted((ROOT / "configs").glob("*.toml"))
    parts += [f"## Preset {path.stem}\n\n```toml\n{path.read_text(encoding='utf-8')}```\n" for path in presets]
    for node in ast.parse(_read("vcd/config.py")).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config"):
            table = node.name.removesuffix("Config").lower()
            parts.append(f"## {f'Table [{table}]' if table else 'The whole'}\n\n{ast.get_docstring(node)}\n")
            parts += _fields(node)
    return "\n".join(parts)


def _fields(node: ast.ClassDef) -> list[str]:
    """Consecutive settings that share one docstring come under it together."""
    found, pending = [], []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            default = ast.unparse(statement.value) if statement.value else ""
            pending.append(f"`{ast.unparse(statement.target)}` = `{default}` ({_kind(statement.annotation)})")
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and pending:
            text = " ".join(str(statement.value.value).split())
            found.append(f"- {'; '.join(pending)}  \n  {text}\n")
            pending = []
    return found + ([f"- {'; '.join(pending)}\n"] if pending else [])


def _kind(annotation: ast.expr) -> str:
    """``Annotated[int, Within(1, 9)]`` -> ``int, 1 to 9``."""
    text = ast.unparse(annotation)
    text = re.sub(r"Annotated\[(\w+), Within\(([^,]+), ([^)]+)\)\]", r"\1, \2 to \3", text)
    return re.sub(r"Literal\[(.*)\]", r"one of \1", text)


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
