import threading

import pytest
import torch

from skae._settings import default_settings, inference


@pytest.fixture(autouse=True)
def _float64():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_settings_come_back_after_a_failure():
    with torch.no_grad(), torch.device("meta"):
        with pytest.raises(RuntimeError, match="Mismatch in shape"), default_settings():
            torch.ones(1, requires_grad=True).mul(2).backward(torch.ones(3))

        assert not torch.is_grad_enabled()
        assert torch.ones(1).is_meta
        assert torch.ones(1).dtype == torch.float64


def test_the_last_thread_inside_sets_back():
    is_inside, may_leave = threading.Event(), threading.Event()

    def stay():
        with default_settings():
            is_inside.set()
            may_leave.wait()

    other = threading.Thread(target=stay)
    with inference():
        other.start()
        is_inside.wait()
    between = torch.ones(1).dtype
    may_leave.set()
    other.join()

    assert between == torch.float32
    assert torch.ones(1).dtype == torch.float64


def test_a_function_is_decorated():
    @inference()
    def result():
        return torch.ones(1)

    assert [result().is_inference(), result().dtype] == [True, torch.float32]
