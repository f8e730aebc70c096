"""Several processes train one network together."""

import os
import pickle
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

import skae
from skae import Autoencoder

WORKER = """
import os, pickle, sys
from datetime import timedelta
import numpy as np
import torch
from torch import distributed
import skae
from skae.datasets import rows

rank, folder, found = int(os.environ["RANK"]), sys.argv[1], {}
torch.set_num_threads(1)
X = np.load(f"{folder}/X.npy")
own = X[:81] if rank == 0 else X[81:]
few = skae.Autoencoder(2, max_epochs=4, batch_size=32)

def error_of(function, *args):
    try:
        function(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

# A group of the user's.
distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
)
for noise in (None, "gaussian"):
    model = skae.Autoencoder(2, max_epochs=4, batch_size=32, noise=noise, random_state=0).fit(X)
    found[f"codes {noise}"], found[f"losses {noise}"] = model.transform(X), model.loss_curve_
with skae.distributed() as number:
    found["number"] = number
    found["seeded by chance"] = few.fit(X).transform(X)
    detector = skae.AutoencoderOutlierDetector(n_estimators=2)
    found["detector"] = detector.fit(X).score_samples(X)
    found["random state"] = detector.random_state
    found["other data"] = error_of(few.fit, X + rank)
    found["other parameters"] = error_of(skae.Autoencoder(2, lr=0.1 * (1 + rank)).fit, X)
    found["all fail"] = error_of(few.fit, X * np.nan)
assert distributed.is_initialized()
distributed.destroy_process_group()

# One that is made from the environment.
with skae.distributed("own", timeout=30):
    kinds = {"array": own, "source": rows(own)}
    for kind, given in kinds.items():
        model = skae.Autoencoder(2, max_epochs=4, batch_size=32, random_state=0).fit(given)
        found[f"own {kind}"], found["own losses"] = model.transform(X), model.loss_curve_
    counts = 1.0 + np.arange(len(X)) % 3
    model = skae.Autoencoder(2, max_epochs=4, batch_size=32, random_state=0)
    model.fit(own, sample_weight=counts[:81] if rank == 0 else counts[81:])
    found["own weights"], found["own weighted losses"] = model.transform(X), model.loss_curve_
    only = {"sample_weight": counts[:81]} if rank == 0 else {}
    found["weights of one"] = error_of(lambda: few.fit(own, **only))
    denoiser = skae.AutoencoderDenoiser(max_epochs=2, random_state=0).fit(own)
    found["own denoiser"] = denoiser.transform(X)
    watched = skae.Autoencoder(2, max_epochs=4, batch_size=32, early_stopping=True)
    found["own early stopping"] = watched.fit(own).validation_loss_curve_
    generator = skae.VariationalAutoencoder(2, max_epochs=1, random_state=0).fit(own)
    found["own generator"] = generator.score_samples(X)
    found["own detector"] = error_of(detector.fit, own)
    found["too few"] = error_of(few.fit, X if rank == 0 else X[:3])
    found["again"] = error_of(few.fit, own)
with skae.distributed(timeout=30):
    if rank == 0:
        found["lost"] = error_of(few.fit, X)
        pickle.dump(found, open(f"{folder}/found_{rank}.pkl", "wb"))
    else:
        pickle.dump(found, open(f"{folder}/found_{rank}.pkl", "wb"))
        os._exit(0)  # as if it were killed
os._exit(0)  # threads of the process group, if they live on, abort an interpreter that shuts down
"""


pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="this torch has no distributed package"
)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(135, 8))  # a last batch of 7 rows: 4 and 3


@pytest.fixture(scope="module")
def found(X, tmp_path_factory):
    """Return what each of two processes found."""
    folder = tmp_path_factory.mktemp("found")
    np.save(folder / "X.npy", X)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)],
            stderr=subprocess.PIPE,
            env={**os.environ, **place, "RANK": str(rank)},
        )
        for rank in range(2)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()
    return [pickle.loads((folder / f"found_{rank}.pkl").read_bytes()) for rank in range(2)]


def single(X, **params):
    return Autoencoder(2, max_epochs=4, batch_size=32, random_state=0).fit(X, **params)


def test_two_processes_train_like_one(found, X):
    model = single(X)
    np.testing.assert_allclose(found[0]["codes None"], model.transform(X), atol=1e-5)
    np.testing.assert_allclose(found[0]["losses None"], model.loss_curve_, rtol=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "codes None",
        "losses None",
        "codes gaussian",
        "seeded by chance",
        "detector",
        "own array",
        "own source",
        "own losses",
        "own weights",
        "own denoiser",
        "own early stopping",
        "own generator",
    ],
)
def test_processes_have_equal_results(found, name):
    np.testing.assert_array_equal(found[0][name], found[1][name])


def test_own_rows_make_the_model_of_all_rows(found, X):
    model = single(X)
    assert abs(found[0]["own losses"][-1] / model.loss_ - 1) < 0.05
    np.testing.assert_allclose(found[0]["own array"], model.transform(X), atol=0.2)


def test_own_weights_make_the_model_of_all_weights(found, X):
    model = single(X, sample_weight=1.0 + np.arange(len(X)) % 3)
    assert abs(found[0]["own weighted losses"][-1] / model.loss_ - 1) < 0.05
    np.testing.assert_allclose(found[0]["own weights"], model.transform(X), atol=0.2)


def test_the_random_state_is_as_it_was(found):
    assert [each["random state"] for each in found] == [None, None]
    assert [each["number"] for each in found] == [0, 1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other data", "ValueError: all processes must fit alike, but the checksum of X is"),
        (
            "other parameters",
            "ValueError: all processes must fit alike, but lr is 0.1 in process 0 and 0.2 in "
            "process 1",
        ),
        ("all fail", "ValueError: Input X contains NaN"),
        (
            "weights of one",
            "ValueError: all processes must fit alike, but only some were given sample_weight",
        ),
        ("own detector", "ValueError: AutoencoderOutlierDetector takes the same rows in all"),
        ("again", "RuntimeError: the processes no longer work together"),
    ],
)
def test_an_error_in_all_processes(found, name, message):
    assert [each[name][: len(message)] for each in found] == [message] * 2


def test_an_error_in_one_process_is_one_in_all(found):
    assert found[1]["too few"].startswith("ValueError: 3 rows to train on are too few")
    assert found[0]["too few"].startswith(
        "RuntimeError: of 2 processes, these failed: process 1 with ValueError: 3 rows"
    )
    assert found[0]["lost"] == (
        "RuntimeError: of 2 processes, number 1 has ended, or has not answered for timeout=30 "
        "seconds"
    )


def test_what_is_wrong_with_a_block(monkeypatch, X):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match="no group of processes: RANK, WORLD_SIZE"):
        skae.distributed().__enter__()
    with pytest.raises(ValueError, match="data='all' must be 'same' or 'own'"):
        skae.distributed("all").__enter__()
    with pytest.raises(ValueError, match="timeout=0 must be a number"):
        skae.distributed(timeout=0).__enter__()
