"""lucid."""
from lucid.core.tensor import Tensor
from lucid.ops.arithmetic import *
from lucid.ops.bitwise import *
from lucid.ops.compare import *
from lucid.ops.complex_ import *
from lucid.ops.exponential import *
from lucid.ops.hyperbolic import *
from lucid.ops.power import *
from lucid.ops.rounding import *
from lucid.ops.select import *
from lucid.ops.trigonometric import *
from lucid.config import get_default_dtype, set_default_dtype
from lucid.dtypes import bool, complex64, complex128, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64
from lucid.ops.shape import *
from lucid.ops.permute import *
from lucid.ops.datatypes import *
from lucid.ops.creation import *
from lucid.ops.dlpack import *
from lucid.ops.grids import *
from lucid.ops.join import *
from lucid.ops.index import *
from lucid.ops.arrange import *
from lucid.ops.update import *
from lucid.ops.sort import *
from lucid.ops.sets import *
from lucid.ops.reduce import *
from lucid.ops.extrema import *
from lucid.ops.moments import *
from lucid.ops.matmul import *
from lucid.ops.contract import *
from lucid.ops.einsum import *
from lucid.ops.cumulative import *
from lucid.ops.samples import *
from lucid.ops.convolve import *
from lucid.ops.statistics import *
from lucid.ops.quantile import *
from lucid.ops.segment import *
from lucid import fft, linalg
from lucid.transforms.api import *
from lucid.transforms.batch import vmap
from lucid.transforms.derived import *
from lucid.transforms.stop import *
from lucid.transforms.custom import *
from lucid.transforms.checkpoint import *
from lucid.transforms.check import *
import lucid.transforms.reverse
