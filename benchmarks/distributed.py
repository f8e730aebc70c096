"""What two processes cost that fit one autoencoder together, and what comes of it.

Rows of 784 columns from 20 factors, of which `--rows` are fitted in four epochs, hidden layers of
512 and 256, by one process and by two, which `torch.distributed` joins by gloo, one thread each.
Measured are CPU seconds of `fit`, of two processes those of the busier one, over those of a single
one: what of the time would be left if each had a core of its own. Then:

- same: all rows in both processes; largest difference of codes from those of a single process, in
  their standard deviation.
- own: shards of 60 and 40 %; error of held-out rows over that of a single process.
- killed: seconds until the other process fails, after one was killed in the midst of a fit.
- resumed: whether a fit in two processes that was interrupted after an epoch has the same bits.

data: generated.
"""

import argparse
import contextlib
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from _report import write_table
from skorch.callbacks import Callback

import skae

N_COLUMNS, N_FACTORS, N_TEST, EPOCHS = 784, 20, 2_000, 4


def rows_of(n_rows: int, seed: int) -> np.ndarray:
    fixed, random = np.random.default_rng(0), np.random.default_rng(seed)
    W = fixed.normal(size=(N_FACTORS, N_COLUMNS)).astype(np.float32)
    signal = np.tanh(random.normal(size=(n_rows, N_FACTORS)).astype(np.float32) @ W)
    return signal + 0.1 * random.normal(size=signal.shape).astype(np.float32)


def new_model(batch_size: int, **params: Any) -> skae.Autoencoder:
    sizes, epochs = (512, 256), {"max_epochs": EPOCHS}
    return skae.Autoencoder(
        N_FACTORS, hidden_layer_sizes=sizes, batch_size=batch_size, **{**epochs, **params}
    )


class EndsAfter(Callback):
    """Ends process 1, or raises in all, when an epoch is over."""

    def __init__(self, is_killed: bool) -> None:
        self.is_killed = is_killed

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        if not self.is_killed:
            raise ConnectionError("interrupted")
        if os.environ["RANK"] == "1":
            os._exit(9)


def work(case: str, n_rows: int, batch_size: int, folder: Path) -> dict[str, Any]:
    """Fit in this process, which may be one of a group."""
    rank, X, T = int(os.environ.get("RANK", "0")), rows_of(n_rows, 1), rows_of(N_TEST, 2)
    new_model(64).fit(X[:256])  # so that all is loaded
    found: dict[str, Any] = {}

    def fitted(X: np.ndarray, model: Any, **files: Any) -> Any:
        start = time.process_time()
        model.fit(X, **files)
        found["cpu"] = time.process_time() - start
        return model

    if case == "single":
        model = fitted(X, new_model(batch_size, random_state=0))
    elif case == "killed":
        model = new_model(batch_size, max_epochs=50, callbacks=[EndsAfter(True)])
        with skae.distributed():
            start = time.monotonic()
            try:
                model.fit(X)
            except RuntimeError as error:
                return {"error": str(error), "seconds": time.monotonic() - start}
    elif case == "resumed":
        with skae.distributed():
            whole = new_model(batch_size, random_state=0).fit(X)
            model = new_model(batch_size, random_state=0, callbacks=[EndsAfter(False)])
            path = folder / "state"
            with contextlib.suppress(ConnectionError):
                model.fit(X, checkpoint=path)
            model = new_model(batch_size, random_state=0).fit(X, resume=path)
            found["is_equal"] = bool((model.transform(T) == whole.transform(T)).all())
    else:
        mine = X
        if case == "own":
            mine = X[: int(0.6 * n_rows)] if rank == 0 else X[int(0.6 * n_rows) :]
        with skae.distributed(case):
            model = fitted(mine, new_model(batch_size, random_state=0))
    return found | {"codes": model.transform(T), "error": -model.score(T)}


def run(case: str, n_rows: int, batch_size: int) -> list[dict[str, Any]]:
    """Return what each process of a case found; nothing of one that was killed."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("localhost", 0))
        place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(free.getsockname()[1])}
        free.close()
        size = 1 if case == "single" else 2
        arguments = ["--case", case, str(n_rows), str(batch_size), folder]
        workers = []
        for rank in range(size):
            environment = {**os.environ, **place, "WORLD_SIZE": str(size), "RANK": str(rank)}
            workers.append(
                subprocess.Popen([sys.executable, __file__, *arguments], env=environment)
            )
        for worker in workers:
            worker.wait()
        return [pickle.loads(path.read_bytes()) for path in sorted(Path(folder).glob("*.pkl"))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[2048, 256])
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        case, n_rows, batch_size, folder = arguments.case
        found = work(case, int(n_rows), int(batch_size), Path(folder))
        path = Path(folder, f"{os.environ['RANK']}.pkl")
        path.write_bytes(pickle.dumps(found))
        os._exit(0)
    n_rows = arguments.rows
    for batch_size in arguments.batch_sizes:
        [single] = run("single", n_rows, batch_size)
        same, own = run("same", n_rows, batch_size), run("own", n_rows, batch_size)
        for pair in (same, own):
            assert (pair[0]["codes"] == pair[1]["codes"]).all()
        difference = np.abs(same[0]["codes"] - single["codes"]).max() / single["codes"].std()
        line: dict[str, Any] = {"batch_size": batch_size, "rows": n_rows}
        line["single [CPU s]"] = round(single["cpu"], 2)
        line["same, of single"] = max(each["cpu"] for each in same) / single["cpu"]
        line["own, of single"] = max(each["cpu"] for each in own) / single["cpu"]
        line["same, codes"] = f"{difference:.1e}"
        line["own, error"] = round(own[0]["error"] / single["error"], 4)
        if batch_size == arguments.batch_sizes[0]:
            [survivor] = run("killed", n_rows // 10, batch_size)
            print(survivor["error"])
            line["killed [s]"] = round(survivor["seconds"], 1)
            resumed = run("resumed", n_rows // 10, batch_size)
            line["resumed"] = all(each["is_equal"] for each in resumed)
        write_table("distributed", [line], key=("batch_size", "rows"))


if __name__ == "__main__":
    main()
