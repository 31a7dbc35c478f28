"""The verb `export`: a run's bundle becomes a graph for an engine without torch, proven or refused."""

from __future__ import annotations

from collections.abc import Sequence

from shared import runs
from shared.bundle_manifest import check_fits, read_manifest
from shared.config import RunConfig
from shared.exported import EXPORTS
from shared.files import folder_atomic
from shared.run_inputs import bound, load, load_training, of_run, run_folder


def export(config: RunConfig, *, overrides: Sequence[str]) -> None:
    """Write the export that `export.format` names into the run, and say what was proven of it."""
    folder = run_folder(config)
    config = bound(of_run(config, folder, overrides))
    manifest = read_manifest(folder / runs.BUNDLE)
    check_fits(manifest, task=config.task.name)
    training, validation = load_training(config), load(config, "validation")

    from shared.adapters import load_bundle
    from shared.engines import num_threads
    from shared.export import Source, write_export
    from shared.export_proof import proof_text
    from shared.promise import for_the_same_texts
    from shared.run_inputs import use_threads

    threads = num_threads(config.hardware.threads)
    use_threads(threads)
    source = Source(
        model=load_bundle(folder / runs.BUNDLE),
        bundle=folder / runs.BUNDLE,
        training=training,
        validation=validation,
        metric=config.metric,
        promise=for_the_same_texts(config.promise, manifest.get("promises", [])),
        batch_tokens=config.predict.batch_tokens,
        threads=threads,
    )
    target = folder / EXPORTS / config.export.format
    with folder_atomic(target) as partial:
        proof = write_export(source, partial, asked=config.export)
    runs.say(proof_text(proof))
    runs.say(f"export: {target}; predict and evaluate use it with engine={config.export.format}")
