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
import lucid.ops.tmp
from lucid.ops.reduce import *
from lucid.ops.extrema import *
from lucid.ops.moments import *
from lucid.ops.matmul import *
from lucid.ops.contract import *
from lucid.ops.einsum import *
from lucid.transforms.api import *
from lucid.transforms.batch import vmap
from lucid.transforms.derived import *
from lucid.transforms.stop import *
from lucid.transforms.custom import *
from lucid.transforms.checkpoint import *
from lucid.transforms.check import *
import lucid.transforms.reverse
