"""The command line: a verb, then Hydra overrides. The one place that reads the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from shared.errors import UserError, suggest
from shared.help import CONF, VERBS, help_text, verbs

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from shared.config import RunConfig

DATA_DIR = "RIGHTSIZE_DATA_DIR"
USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141  # as a shell reports SIGINT and SIGPIPE
TASK = "task="
SWEEP = {"-m", "--multirun"}
PAIRED = {"compare": "A and B", "release": "OLD and NEW"}  # verbs that take two systems


def main(*tasks: str) -> None:
    """Run the verb on the command line; a user's mistake is printed without a traceback, exit code 2.

    Of several tasks in a package `task=NAME` chooses one; the first is the default.
    """

    def act() -> None:
        task, arguments = _chosen(tasks, sys.argv[1:])
        if not arguments or {"-h", "--help"} & set(arguments):
            sys.stdout.write(help_text(task, conf=CONF) + "\n")
            return
        _run(task, arguments[0], arguments[1:])

    guarded(act)


def guarded(act: Callable[[], None]) -> None:
    """Do what a command line asks for: what goes wrong is said as a person reads it, by exit code too."""
    os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", TOKENIZERS_PARALLELISM="false")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the GPU's products sum in a fixed order
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # which bm25s wakes: it takes a whole GPU
    try:
        act()
    except UserError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).splitlines()))
        sys.exit(USER_ERROR)
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except KeyboardInterrupt:
        sys.stderr.write(
            "interrupted; a training goes on from its last checkpoint with resume=<its run folder>\n"
        )
        sys.exit(INTERRUPTED)


def _chosen(tasks: Sequence[str], arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the task, and the arguments without the word that chose it."""
    words = [word for word in arguments if word.startswith(TASK)] if len(tasks) > 1 else []
    task = words[-1].removeprefix(TASK) if words else tasks[0]
    if task not in tasks:
        raise UserError(f"{TASK}{task}: no such task{suggest(task, tasks)}; here: {', '.join(tasks)}")
    return task, [word for word in arguments if word not in words]


def _run(task: str, verb: str, arguments: list[str]) -> None:
    known = verbs(task, conf=CONF)
    if verb not in known:
        raise UserError(f"{verb!r} is no verb{suggest(verb, known)}; verbs: {', '.join(known)}")
    from shared.compose import compose_run

    flags = {argument for argument in arguments if argument.startswith("-")}
    words = [argument for argument in arguments if argument not in flags]
    overrides = [*_environment(words), *(_positional(verb, words) if verb in PAIRED else words)]
    if flags <= SWEEP:  # other flags are followed by words that are no overrides, such as --cfg job
        config = compose_run(task, overrides, sweep=bool(flags))
        if not flags:
            _command(verb, config)(config, overrides=overrides)
            return
    _hydra(task, verb, [*arguments, *_environment(words)])


def _hydra(task: str, verb: str, arguments: list[str]) -> None:
    import hydra
    from hydra.errors import HydraException

    from shared.compose import CONF, NAME, task_overrides
    from shared.errors import ConfigError

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def job(node: DictConfig) -> None:
        from shared.config import read_config

        config = read_config(node)
        _command(verb, config)(config, overrides=arguments)

    overrides = [word for word in arguments if "=" in word and not word.startswith("-")]
    flags = [word for word in arguments if word not in overrides]  # with their values, such as --cfg job
    sys.argv = [sys.argv[0], *flags, *overrides, *task_overrides(task)]
    command = hydra.main(version_base="1.3", config_path=str(CONF), config_name=NAME)(job)
    try:
        command()
    except HydraException as error:
        raise ConfigError([str(error)]) from error


def _command(verb: str, config: RunConfig) -> Callable[..., None]:
    """Return the function with the verb's name, or the task's own; torch comes later."""
    from shared import commands, crossvalidation, export_verb, paired_verbs, promise_verbs, train_verb
    from shared.config import named
    from shared.labelling import review_verbs
    from shared.labelling import verbs as labelling_verbs

    if verb not in VERBS:
        own: Callable[..., None] = named(config.task.verbs[verb]["call"])
        return own
    modules = (
        commands,
        crossvalidation,
        export_verb,
        labelling_verbs,
        paired_verbs,
        promise_verbs,
        review_verbs,
        train_verb,
    )
    module = next(module for module in modules if hasattr(module, verb))
    command: Callable[..., None] = getattr(module, verb)
    return command


def secret(variable: str) -> str:
    """Return what an environment variable holds, '' for nothing: a key, which no configuration holds."""
    return os.environ.get(variable, "")


def _environment(words: list[str]) -> list[str]:
    folder = os.environ.get(DATA_DIR)
    given = any(word.startswith("data_dir=") for word in words)
    return [f"data_dir='{folder}'"] if folder and not given else []


def _positional(verb: str, words: list[str]) -> list[str]:
    """Return `A B` as `left=A right=B`."""
    names = [word for word in words if "=" not in word]
    if len(names) not in (0, 2):
        raise UserError(f"{verb} takes two runs, {PAIRED[verb]}; found: {' '.join(names)}")
    sides = [f"{side}='{name}'" for side, name in zip(("left", "right"), names, strict=False)]
    return [*sides, *(word for word in words if "=" in word)]
