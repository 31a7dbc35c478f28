"""Uploading a bundle with its card to a Hugging Face hub.

The token (`hf auth login`, HF_TOKEN) and the hub's address (HF_ENDPOINT) are found by the hub's own client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from huggingface_hub import HfApi, ModelCard, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from shared.bundle_manifest import CARD, read_manifest
from shared.errors import UserError
from shared.licence import restriction
from shared.verb_config import PushConfig


def push_bundle(bundle: Path, settings: PushConfig) -> str:
    """Upload the bundle's files, the card among them, and return what a person is told of it.

    The repository is made when it is not there. Raises `UserError` when the bundle is not ready, when
    everybody can read the repository though `private` is asked for, and when the hub refuses or is away.
    """
    _check_ready(bundle, settings)
    manifest = read_manifest(bundle)
    base, data = manifest["model"]["licence"], manifest["data_licence"]
    limit = restriction(base, data)
    address, private = _upload(bundle, settings)
    return (
        f"pushed {bundle} to {address}\n"
        f"{settings.repo} is {'private' if private else 'for everybody to read'}; "
        f"licences: base {base}, data {data}{f': {limit}' if limit else ''}"
    )


def _check_ready(bundle: Path, settings: PushConfig) -> None:
    """Raise `UserError` without a repository, a token, or scores: unmeasured work is not for strangers."""
    if "/" not in settings.repo:
        raise UserError(f"push.repo={settings.repo!r}; allowed: organisation/name or user/name on the hub")
    path = bundle / CARD
    if not path.is_file() or not ModelCard.load(path).data.get("eval_results"):
        raise UserError(f"{path} has no scores of a test split: evaluate the run first, run={bundle.parent}")
    if get_token() is None:
        raise UserError(
            "no token for the hub: run `hf auth login`, or set HF_TOKEN to a token that may write"
        )


def _upload(bundle: Path, settings: PushConfig) -> tuple[str, bool]:
    """Return the address of the commit that holds the bundle, and whether the repository is private."""
    hub = HfApi()
    with _hub_errors(hub.endpoint, settings.repo):
        hub.create_repo(settings.repo, private=settings.private, exist_ok=True)
        private = bool(hub.model_info(settings.repo).private)
        if settings.private and not private:
            raise UserError(
                f"everybody can read {settings.repo}, which was there before: make it private on the hub, "
                "choose another push.repo, or say push.private=false"
            )
        commit = hub.upload_folder(
            repo_id=settings.repo,
            folder_path=bundle,
            commit_message=f"Bundle of the run {bundle.parent.name}",
        )
    return str(commit.commit_url), private


@contextmanager
def _hub_errors(endpoint: str, repo: str) -> Iterator[None]:
    """Turn what the hub's client raises into one `UserError` that says what to do."""
    try:
        yield
    except HFValidationError as error:
        raise UserError(f"push.repo={repo!r}: {error}") from error
    except HfHubHTTPError as error:
        raise UserError(f"{endpoint} refuses the push: {_refusal(error, repo)}") from error
    except (httpx.HTTPError, OSError, RuntimeError) as error:  # the last is what a broken transfer raises
        raise UserError(
            f"the push to {endpoint} did not get through; push again once it can be reached: {error}"
        ) from error


def _refusal(error: HfHubHTTPError, repo: str) -> str:
    owner, status = repo.partition("/")[0], error.response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        return "it does not accept the token; run `hf auth login`, or set HF_TOKEN to another one"
    if status in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
        return (
            f"push.repo={repo}: there is no {owner}, or the token may not write there; name your user or an "
            "organisation of yours, and use a token with write access"
        )
    return str(error)
