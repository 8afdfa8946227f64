"""Names of array types."""

from numpy import bool_, float64, int64
from numpy.typing import NDArray

type Floats = NDArray[float64]
type Integers = NDArray[int64]
type Mask = NDArray[bool_]
