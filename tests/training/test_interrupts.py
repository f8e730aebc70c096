import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from skae.training._interrupts import let_torch_import


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    let_torch_import.cache_clear()
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_imports_of_torch(monkeypatch):
    done = []

    def optimizer(params):
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")

    monkeypatch.setattr("torch.optim.SGD", optimizer)

    with pytest.raises(KeyboardInterrupt):
        let_torch_import()

    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_imports_in_a_thread_and_without_a_handler():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(let_torch_import).result()
    let_torch_import.cache_clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    let_torch_import()

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
