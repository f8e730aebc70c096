"""Several processes train one network together."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from skae import Autoencoder

WORKER = """
import os
import sys
import numpy as np
import torch
from torch import distributed
from skae import Autoencoder

rank, folder, noise = int(sys.argv[1]), sys.argv[2], sys.argv[3] or None
torch.set_num_threads(1)
distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
)
X = np.load(f"{folder}/X.npy")
model = Autoencoder(2, max_epochs=4, batch_size=32, noise=noise, random_state=0).fit(X)
np.save(f"{folder}/codes_{rank}.npy", model.transform(X))
np.save(f"{folder}/losses_{rank}.npy", model.loss_curve_)
distributed.barrier()
distributed.destroy_process_group()
os._exit(0)  # threads of the process group, if they live on, abort an interpreter that shuts down
"""


def train_in_two_processes(X, folder, noise=""):
    np.save(folder / "X.npy", X)
    command = [sys.executable, "-c", WORKER]
    workers = [
        subprocess.Popen([*command, str(rank), str(folder), noise], stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()
    return [
        (np.load(folder / f"codes_{rank}.npy"), np.load(folder / f"losses_{rank}.npy"))
        for rank in range(2)
    ]


needs_gloo = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="this torch has no distributed package"
)


@needs_gloo
def test_two_processes_train_like_one(tmp_path):
    X = np.random.default_rng(0).normal(size=(135, 8))  # a last batch of 7 rows: 4 and 3

    (codes, losses), (other_codes, other_losses) = train_in_two_processes(X, tmp_path)

    single = Autoencoder(2, max_epochs=4, batch_size=32, random_state=0).fit(X)
    np.testing.assert_array_equal(codes, other_codes)
    np.testing.assert_array_equal(losses, other_losses)
    np.testing.assert_allclose(codes, single.transform(X), atol=1e-5)
    np.testing.assert_allclose(losses, single.loss_curve_, rtol=1e-5)


@needs_gloo
def test_weights_stay_equal_when_each_process_draws_its_own_noise(tmp_path):
    X = np.random.default_rng(0).normal(size=(135, 8))

    (codes, _), (other_codes, _) = train_in_two_processes(X, tmp_path, noise="gaussian")

    np.testing.assert_array_equal(codes, other_codes)
