import numpy as np
from lucid.core.define import *
from lucid.core.dispatch import apply, bind, read
from lucid.core.op import OPS
from lucid.core.tensor import install
linear("broadcast_to", np.broadcast_to, transpose=lambda ct,x,shape: __import__("lucid.core.cotangent",fromlist=["x"]).unbroadcast(ct,x.shape), batch=lambda x,shape: apply(OPS["broadcast_to"],(apply(OPS["reshape"],(x,),((x.shape[0],)+(1,)*(len(shape)-x.ndim+1)+x.shape[1:],)),),((x.shape[0],)+shape,)), view=True)
linear("reshape", np.reshape, transpose=lambda ct,x,shape: apply(OPS["reshape"],(ct,),(x.shape,)), batch=lambda x,shape: apply(OPS["reshape"],(x,),((x.shape[0],)+shape,)), view=True)
linear("permute_dims", np.transpose, transpose=lambda ct,x,axes: apply(OPS["permute_dims"],(ct,),(tuple(np.argsort(axes).tolist()),)), batch=lambda x,axes: apply(OPS["permute_dims"],(x,),((0,)+tuple(a+1 for a in axes),)), view=True)
linear("astype", lambda x,d: x.astype(d), transpose=lambda ct,x,d: apply(OPS["astype"],(ct,),(x.dtype,)), batch=lambda x,d: apply(OPS["astype"],(x,),(d,)))
install({"hook:read": read})
