"""Print the digests of a bundle's logits on standard input's rows, for `adapters.verify_reload`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    import torch

    from shared.adapters import reload_digests

    torch.set_num_threads(int(sys.argv[2]))
    sys.stdout.write("\n".join(reload_digests(Path(sys.argv[1]), sys.stdin.read())))
