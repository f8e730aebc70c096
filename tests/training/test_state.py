import numpy as np
import pytest
import torch

from skae.training._state import to_arrays, to_tensors

STATE = {
    "weights": torch.arange(6.0).reshape(2, 3),
    0: [torch.tensor(3), (torch.tensor([True, False]), None)],
    "numbers": {"lr": 0.1, "betas": (0.9, 0.999)},
}


def test_arrays_hold_no_tensors():
    state = to_arrays(STATE)

    np.testing.assert_array_equal(state["weights"], [[0, 1, 2], [3, 4, 5]])
    assert isinstance(state[0][0], np.ndarray)
    assert isinstance(state[0][1], tuple)
    assert state["numbers"] == STATE["numbers"]


def test_round_trip():
    state = to_tensors(to_arrays(STATE))

    assert torch.equal(state["weights"], STATE["weights"])
    assert torch.equal(state[0][1][0], STATE[0][1][0])
    assert state[0][1][1] is None


@pytest.mark.parametrize("convert", [to_arrays, lambda state: to_tensors(to_arrays(state))])
def test_result_is_a_copy(convert):
    tensor = torch.zeros(3)

    converted = convert({"a": tensor})["a"]
    tensor.fill_(1)

    assert (np.asarray(converted) == 0).all()


def test_arrays_are_copied_into_tensors():
    array = np.zeros(3)

    tensor = to_tensors(array)
    array[:] = 1

    assert (tensor == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.uint8])
def test_dtypes_survive(dtype):
    tensor = torch.ones(2, dtype=dtype)

    assert to_tensors(to_arrays(tensor)).dtype == dtype


def test_read_only_arrays_become_tensors():
    array = np.zeros(3)
    array.flags.writeable = False

    to_tensors(array).fill_(1)

    assert (array == 0).all()
