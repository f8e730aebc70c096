"""The state of a net: all that a later training needs, as plain containers of arrays."""

import copy
from typing import Any

from ._state import averaged_only, timeless, to_arrays, to_tensors


class StatefulNet:
    """Mixin of the net: what it is made of as plain containers, and back."""

    can_go_on = True  # not if its state came without that of the training

    module_: Any
    criterion_: Any
    averaged_module_: Any
    average: Any
    optimizer_: Any
    generator: Any
    history: Any
    _set_training: Any

    def state(self, history: bool = True) -> dict[str, Any]:
        """Return all that a later training needs to go on bit for bit.

        Parameters
        ----------
        history : bool, default=True
            Whether to include the history, which grows with every epoch.

        Returns
        -------
        dict
            Weights, optimizer, generator and history, with numpy arrays for tensors.
        """
        state = {
            "module": self.module_.state_dict(),
            "average": self.average.state_dict(),
            "criterion": self.criterion_.state_dict(),
            "optimizer": self.optimizer_.state_dict(),
            "generator": self.generator.get_state(),
        }
        if history:
            state["history"] = [timeless(row) for row in self.history]
        return to_arrays(state if self.can_go_on else averaged_only(state))

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to what :meth:`state` returned.

        Parameters
        ----------
        state : dict
            Result of :meth:`state`, of this net or of one built alike.
        """
        tensors = to_tensors(state)
        self.can_go_on = "optimizer" in state
        if not self.can_go_on:
            self.average.load_state_dict(tensors["average"])
            self.module_.load_state_dict(self.averaged_module_.state_dict())
            self.criterion_.load_state_dict(tensors["criterion"])
            self._set_training(False)
            return
        self.module_.load_state_dict(tensors["module"])
        self.average.load_state_dict(tensors["average"])
        self.criterion_.load_state_dict(tensors["criterion"])
        self.optimizer_.load_state_dict(tensors["optimizer"])
        self.generator.set_state(tensors["generator"])
        self._set_training(False)
        if "history" in state:
            self.history.clear()
            self.history.extend(copy.deepcopy(state["history"]))
