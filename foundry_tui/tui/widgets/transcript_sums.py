"""Running sums of numbers that change one at a time: which of ten thousand blocks stands on a row."""

from collections.abc import Iterable

__all__ = ["Sums"]


class Sums:
    """Numbers from 0 up and the sums before each; every question and every change takes O(log n).

    A Fenwick tree: the node of ``index`` holds the sum of the last ``lowest set bit`` numbers up to it, with
    indices counted from 1.
    """

    __slots__ = ("_nodes", "_numbers")

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._nodes: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> int:
        return self._numbers[index]

    @property
    def total(self) -> int:
        """The sum of all numbers."""
        return self.before(len(self._numbers))

    def before(self, index: int) -> int:
        """The sum of the first ``index`` numbers."""
        total = 0
        while index:
            total += self._nodes[index - 1]
            index &= index - 1
        return total

    def find(self, value: int) -> int:
        """The index whose number reaches over ``value``: the sum before it is at most that, with it more.

        ``value`` is at least 0 and below the total.
        """
        index = 0
        step = 1 << len(self._nodes).bit_length()
        while step := step >> 1:
            after = index + step
            if after <= len(self._nodes) and self._nodes[after - 1] <= value:
                value -= self._nodes[after - 1]
                index = after
        return index

    def append(self, number: int) -> None:
        """Add a number at the end."""
        self._numbers.append(number)
        index = len(self._numbers)
        node = number
        step = 1
        while step < index & -index:
            node += self._nodes[index - step - 1]
            step <<= 1
        self._nodes.append(node)

    def set(self, index: int, number: int) -> None:
        """Replace the number at ``index``."""
        change = number - self._numbers[index]
        self._numbers[index] = number
        index += 1
        while change and index <= len(self._nodes):
            self._nodes[index - 1] += change
            index += index & -index

    def reset(self, numbers: Iterable[int]) -> None:
        """Replace all numbers."""
        self._numbers = list(numbers)
        self._nodes = nodes = list(self._numbers)
        for index in range(1, len(nodes) + 1):
            above = index + (index & -index)
            if above <= len(nodes):
                nodes[above - 1] += nodes[index - 1]

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` numbers."""
        del self._numbers[length:]
        del self._nodes[length:]
