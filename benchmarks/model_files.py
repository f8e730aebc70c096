"""1,000 damaged and 100 and more forged model files each end in one clear ModelFileError.

Rows "damaged": files of several models with flipped bits, other bytes, cuts, and pieces that are
missing or moved. Rows "forged": the files of tests/persistence/hostile.py, with right checksums.
Columns: how many files, how many ended in a ModelFileError of one line, in a model, or in anything
else (targets: all, 0 and 0), the longest time of one (CPU seconds, one thread; target: 1), and by
how much the process grew at most while one was read (MB; target: 100; Linux only).

Rows of sizes: files divided by the averaged weights, for `skae.save` without and with `training`,
pickle, compressed joblib and skops.

Options: --files 1000
"""

import argparse
import io
import pickle
import runpy
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import skops.io
import torch
from _report import write_table

import skae

FORGED = Path(__file__).parents[1] / "tests" / "persistence" / "hostile.py"


def models() -> dict[str, Any]:
    """Return fitted models of several kinds."""
    random = np.random.default_rng(0)
    X = random.normal(size=(500, 4)) @ random.normal(size=(4, 30)) + random.normal(size=(500, 30))
    wide = {"hidden_layer_sizes": (512, 256), "max_epochs": 2}
    return {
        "Autoencoder": skae.Autoencoder(4, max_epochs=2, random_state=0).fit(X),
        "Autoencoder, wide": skae.Autoencoder(4, **wide, random_state=0).fit(X),
        "VariationalAutoencoder": skae.VariationalAutoencoder(4, max_epochs=2).fit(X),
        "AutoencoderOutlierDetector": skae.AutoencoderOutlierDetector(n_estimators=2).fit(X),
        "AutoencoderImputer": skae.AutoencoderImputer(max_epochs=2).fit(X),
        "AudioCompressor": skae.AudioCompressor().fit(random.normal(size=(60, 256))),
    }


def damaged(content: bytes, random: np.random.Generator, n: int) -> Iterator[bytes]:
    """Yield damaged copies of a file."""
    length = 8 + int.from_bytes(content[:8], "little")
    for i in range(n):
        # Half of it in the header, which is the smaller part of most files.
        place = int(random.integers(length if i % 2 else len(content)))
        other = int(random.integers(len(content)))
        byte = bytes([content[place] ^ int(random.integers(1, 256))])
        yield (
            content[:place] + bytes([content[place] ^ (1 << i % 8)]) + content[place + 1 :],
            content[:place] + byte + content[place + 1 :],
            content[:place],
            content[:place] + content[place + 1 :],
            content[:place] + content[other:] + content[place:other],
        )[i % 5]


def outcome(path: Path) -> tuple[str, float]:
    """Return what becomes of a file, and how long it takes."""
    start = time.process_time()
    try:
        skae.load(path)
        kind = "loaded"
    except skae.ModelFileError as error:
        kind = "ModelFileError" if "\n" not in str(error) else "anything else"
    except Exception:
        kind = "anything else"
    return kind, time.process_time() - start


def row_of(name: str, path: Path, files: Iterable[bytes], whole: bytes) -> dict[str, Any]:
    """Return a row about files that are wrong."""
    path.write_bytes(whole)
    skae.load(path)
    counts: Counter[str] = Counter()
    longest, grown = 0.0, 0
    for content in files:
        if content == whole:
            continue
        path.write_bytes(content)
        before = _memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        kind, seconds = outcome(path)
        counts[kind] += 1
        longest, grown = max(longest, seconds), max(grown, _memory("VmHWM") - before)
    return {
        "what": name,
        "files": sum(counts.values()),
        **{kind: counts[kind] for kind in ("ModelFileError", "loaded", "anything else")},
        "longest": longest,
        "MB": grown / 1e6,
    }


def _memory(name: str) -> int:
    """Return what Linux says of the memory of this process, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition(f"{name}:")[2].split()[0])


def sizes_of(name: str, model: Any, path: Path) -> dict[str, Any]:
    """Return a row about sizes."""
    module = getattr(model, "estimator_", model).module_
    weights = sum(each.numel() * each.element_size() for each in module.state_dict().values())
    skae.save(model, path)
    lean = path.stat().st_size
    skae.save(model, path, training=True)
    compressed = io.BytesIO()
    joblib.dump(model, compressed, compress=3)
    sizes = {
        "save": lean,
        "save, training": path.stat().st_size,
        "pickle": len(pickle.dumps(model)),
        "joblib": compressed.tell(),
        "skops": len(skops.io.dumps(model)),
    }
    return {"what": name, "weights": weights} | {k: size / weights for k, size in sizes.items()}


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    random, fitted = np.random.default_rng(0), models()
    hostile_files = runpy.run_path(str(FORGED))["hostile_files"]
    rows, sizes = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.skae")
        small = skae.Autoencoder(1, hidden_layer_sizes=(4,), max_epochs=1)
        skae.save(small.fit(random.normal(size=(40, 3))), path)
        content = path.read_bytes()
        forged = (each for _, each in hostile_files(content))
        rows.append(row_of("forged", path, forged, content))
        for name, model in fitted.items():
            skae.save(model, path)
            content = path.read_bytes()
            wrong = damaged(content, random, args.files // len(fitted) + 1)
            rows.append(row_of(f"damaged: {name}", path, wrong, content))
        sizes = [sizes_of(name, model, path) for name, model in fitted.items()]
    write_table("model_files", rows)
    write_table("model_file_sizes", sizes)


if __name__ == "__main__":
    main()
