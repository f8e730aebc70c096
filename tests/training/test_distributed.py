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

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
)
X = np.load(f"{folder}/X.npy")
for noise in (None, "gaussian"):
    model = Autoencoder(2, max_epochs=4, batch_size=32, noise=noise, random_state=0).fit(X)
    np.save(f"{folder}/{noise}_codes_{rank}.npy", model.transform(X))
    np.save(f"{folder}/{noise}_losses_{rank}.npy", model.loss_curve_)
distributed.barrier()
distributed.destroy_process_group()
os._exit(0)  # threads of the process group, if they live on, abort an interpreter that shuts down
"""


pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="this torch has no distributed package"
)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(135, 8))  # a last batch of 7 rows: 4 and 3


@pytest.fixture(scope="module")
def trained(X, tmp_path_factory):
    """Return what two processes got, by name, from a training without noise and one with it."""
    folder = tmp_path_factory.mktemp("trained")
    np.save(folder / "X.npy", X)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(rank), str(folder)], stderr=subprocess.PIPE
        )
        for rank in range(2)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()
    return {path.stem: np.load(path) for path in folder.glob("*_*.npy")}


def test_two_processes_train_like_one(trained, X):
    codes, losses = trained["None_codes_0"], trained["None_losses_0"]

    single = Autoencoder(2, max_epochs=4, batch_size=32, random_state=0).fit(X)
    np.testing.assert_array_equal(codes, trained["None_codes_1"])
    np.testing.assert_array_equal(losses, trained["None_losses_1"])
    np.testing.assert_allclose(codes, single.transform(X), atol=1e-5)
    np.testing.assert_allclose(losses, single.loss_curve_, rtol=1e-5)


def test_weights_stay_equal_when_each_process_draws_its_own_noise(trained):
    np.testing.assert_array_equal(trained["gaussian_codes_0"], trained["gaussian_codes_1"])
