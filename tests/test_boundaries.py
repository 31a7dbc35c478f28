"""The boundaries of the design, each read off the sources."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")])
TASKS = sorted(path.stem for path in (ROOT / "conf" / "task").glob("*.yaml"))
TENSOR_LIBRARIES = {"torch", "transformers", "peft", "gliner", "accelerate", "safetensors"}
TENSOR_FILES = {
    "model.py",
    "specialists.py",
    "train.py",
    "training_estimate.py",
    "adapters.py",
    "agreement.py",
    "checkpoint.py",
    "decoder.py",
    "export.py",
    "graph_export.py",
    "encoder.py",
    "merged.py",
}


def imported(path: Path, *, top_level: bool = False) -> set[str]:
    """Names of the modules a file imports; with `top_level`, those imported as soon as it is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_tensor_libraries_are_imported_by_the_tensor_files_alone(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(path, top_level=True)}
    if path.parent.name != "modules" and path.name not in TENSOR_FILES:
        assert not roots & TENSOR_LIBRARIES


def test_shared_never_imports_tasks() -> None:
    for path in (ROOT / "shared").rglob("*.py"):
        assert not [name for name in imported(path) if name.partition(".")[0] == "tasks"], path


def test_a_task_imports_itself_and_tensor_free_modules_alone() -> None:
    tensor_modules = {f"shared.{Path(name).stem}" for name in TENSOR_FILES}
    for path in (ROOT / "tasks").rglob("*.py"):
        task = path.relative_to(ROOT / "tasks").parts[0]
        for name in imported(path):
            assert name not in tensor_modules and not name.startswith("shared.modules"), path
            assert not name.startswith("tasks.") or name.split(".")[1] == task, path


def test_gliner_is_known_to_one_file_only() -> None:
    files = {path.name for path in SOURCES if "gliner" in {name.partition(".")[0] for name in imported(path)}}
    assert files <= {"span_scorer.py"}


def test_heads_do_not_import_one_another() -> None:
    heads = {path.stem for path in (ROOT / "shared" / "heads").glob("*.py")} - {"__init__"}
    for path in (ROOT / "shared" / "heads").glob("*.py"):
        if path.stem in heads:
            others = {f"shared.heads.{head}" for head in heads - {path.stem}}
            assert not imported(path, top_level=True) & others


def test_the_environment_is_read_in_the_command_line_alone() -> None:
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        reads = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        ]
        assert not reads or path.name == "cli.py", path


def test_no_dict_config_outside_the_configuration_modules() -> None:
    for path in SOURCES:
        if path.name not in ("config.py", "typed_config.py", "cli.py", "compose.py"):
            assert "DictConfig" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("task", TASKS)
def test_config_errors_help_and_data_checks_come_without_torch(task: str) -> None:
    code = (
        f"import sys; from shared.compose import compose_run; config = compose_run('{task}', []);"
        "config.data.load('validation'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
