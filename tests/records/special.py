"""Records of `lucid.special`: one per function, made from where its arguments are drawn.

An interval is drawn from uniformly; `N(lo, hi)` draws whole numbers, which are not differentiated.
An argument whose derivative has no rule is not differentiated either.
"""

from __future__ import annotations

from typing import Any

from scipy import special as sc

from lucid.core.define import ZERO
from lucid.ops.special_functions import ROWS
from lucid.ops.special_functions.table import NoRule
from tests.record import REAL, Record, integers

N = integers
P = (0.1, 0.9)  # probabilities
ANY = (-2.0, 2.0)
POS = (0.3, 3.0)
COMPLEX = ("complex128",)
# the functions that take the characteristic value solve their equation only if it is the right one
PROLATE = (N(0, 1), N(2, 3), (1.0, 1.0), (sc.pro_cv(0, 2, 1.0),) * 2)
OBLATE = (N(0, 1), N(2, 3), (1.0, 1.0), (sc.obl_cv(0, 2, 1.0),) * 2)
OBLATE_2 = (N(1, 2), N(3, 4), (1.0, 1.0), (sc.obl_cv(1, 3, 1.0),) * 2)

DOMAINS: dict[str, tuple[Any, ...]] = {
    # gamma
    "gamma": (POS,),
    "loggamma": (POS,),
    "gammasgn": (POS,),
    "rgamma": (ANY,),
    "poch": (POS, POS),
    "beta": (POS, POS),
    "betaln": (POS, POS),
    "binom": ((3.0, 6.0), POS),
    "zeta": ((1.5, 6.0), POS),
    "zetac": ((1.5, 6.0),),
    # incomplete gamma
    "gammainc": (POS, POS),
    "gammaincc": (POS, POS),
    "gammaincinv": ((0.5, 3.0), P),
    "gammainccinv": ((0.5, 3.0), P),
    "chdtr": ((1.0, 6.0), POS),
    "chdtrc": ((1.0, 6.0), POS),
    "chdtri": ((1.0, 6.0), P),
    "chdtriv": (P, POS),
    "gdtr": (POS, POS, POS),
    "gdtrc": (POS, POS, POS),
    "gdtria": (P, (0.5, 3.0), POS),
    "gdtrib": (POS, P, POS),
    "gdtrix": (POS, (0.5, 3.0), P),
    "pdtr": (N(0, 6), POS),
    "pdtrc": (N(0, 6), POS),
    "pdtri": (N(0, 6), P),
    "pdtrik": ((0.1, 0.8), (3.0, 6.0)),
    # incomplete beta
    "betainc": (POS, POS, P),
    "betaincc": (POS, POS, P),
    "betaincinv": ((0.5, 3.0), (0.5, 3.0), P),
    "betainccinv": ((0.5, 3.0), (0.5, 3.0), P),
    "btdtria": (P, POS, P),
    "btdtrib": (POS, P, P),
    "fdtr": ((1.0, 6.0), (1.0, 6.0), POS),
    "fdtrc": ((1.0, 6.0), (1.0, 6.0), POS),
    "fdtri": ((1.0, 6.0), (1.0, 6.0), P),
    "fdtridfd": ((2.0, 2.5), (0.36, 0.4), (0.6, 0.65)),
    "stdtr": ((1.0, 6.0), ANY),
    "stdtrit": ((1.0, 6.0), P),
    "stdtridf": ((0.8, 0.82), (1.0, 1.1)),
    "bdtr": (N(0, 4), N(5, 8), P),
    "bdtrc": (N(0, 4), N(5, 8), P),
    "bdtri": (N(0, 4), N(5, 8), P),
    "bdtrik": ((0.3, 0.7), (5.0, 8.0), (0.4, 0.6)),
    "bdtrin": ((1.0, 3.0), (0.3, 0.7), (0.4, 0.6)),
    "nbdtr": (N(0, 4), N(1, 8), P),
    "nbdtrc": (N(0, 4), N(1, 8), P),
    "nbdtri": (N(0, 4), N(1, 8), P),
    "nbdtrik": ((0.4, 0.7), (2.0, 4.0), (0.3, 0.5)),
    "nbdtrin": ((2.0, 4.0), (0.3, 0.7), (0.3, 0.5)),
    # error functions and the normal distribution
    "erfcinv": ((0.2, 1.8),),
    "erfcx": (ANY,),
    "erfi": (ANY,),
    "dawsn": (ANY,),
    "wofz": (ANY,),
    "fresnel": (ANY,),
    "modfresnelp": ((0.3, 2.4),),
    "modfresnelm": ((0.3, 2.4),),
    "ndtr": (ANY,),
    "log_ndtr": (ANY,),
    "ndtri": (P,),
    "ndtri_exp": ((-3.0, -0.2),),
    "nrdtrimn": (P, POS, ANY),
    "nrdtrisd": ((-2.0, 0.0), (0.6, 0.9), (1.0, 2.0)),
    "owens_t": (ANY, ANY),
    "voigt_profile": (ANY, POS, POS),
    # entropies, logistic, powers
    "entr": (POS,),
    "rel_entr": (POS, POS),
    "kl_div": (POS, POS),
    "xlogy": (ANY, POS),
    "xlog1py": (ANY, POS),
    "expit": (ANY,),
    "log_expit": (ANY,),
    "logit": (P,),
    "boxcox": (POS, ANY),
    "boxcox1p": (POS, ANY),
    "inv_boxcox": ((0.1, 1.0), (-0.8, 0.8)),
    "inv_boxcox1p": ((0.1, 1.0), (-0.8, 0.8)),
    "tklmbda": ((-0.4, 0.4), (0.3, 1.5)),
    "huber": ((0.8, 1.2), (1.5, 3.0)),
    "pseudo_huber": (POS, ANY),
    "exp2": (ANY,),
    "exp10": (ANY,),
    "expm1": (ANY,),
    "log1p": (POS,),
    "exprel": (ANY,),
    "cbrt": (POS,),
    "powm1": (POS, ANY),
    "round": ((0.6, 1.4),),
    "cosm1": (ANY,),
    "sindg": ((-90.0, 90.0),),
    "cosdg": ((-90.0, 90.0),),
    "tandg": ((-60.0, 60.0),),
    "cotdg": ((30.0, 120.0),),
    "radian": (POS, POS, POS),
    # exponential integrals
    "exp1": (POS,),
    "expi": (POS,),
    "expn": (N(0, 5), POS),
    "sici": (POS,),
    "shichi": (POS,),
    "spence": (POS,),
    "wrightomega": (ANY,),
    "lambertw": (POS, N(0, 2)),
    # Bessel
    "jv": (ANY, POS),
    "jn": (ANY, POS),
    "jve": (ANY, POS),
    "yv": (ANY, POS),
    "yve": (ANY, POS),
    "hankel1": (ANY, POS),
    "hankel2": (ANY, POS),
    "hankel1e": (ANY, POS),
    "hankel2e": (ANY, POS),
    "yn": (N(0, 5), POS),
    "j0": (ANY,),
    "j1": (ANY,),
    "y0": (POS,),
    "y1": (POS,),
    "iv": (ANY, POS),
    "ive": (ANY, POS),
    "i0": (ANY,),
    "i1": (ANY,),
    "i0e": (POS,),
    "i1e": (POS,),
    "kv": (ANY, POS),
    "kve": (ANY, POS),
    "k0": (POS,),
    "k1": (POS,),
    "k0e": (POS,),
    "k1e": (POS,),
    "kn": (N(0, 5), POS),
    "struve": (POS, POS),
    "modstruve": (POS, POS),
    "itstruve0": (POS,),
    "it2struve0": (POS,),
    "itmodstruve0": (POS,),
    "itj0y0": (POS,),
    "it2j0y0": (POS,),
    "iti0k0": (POS,),
    "it2i0k0": (POS,),
    "besselpoly": (POS, POS, POS),
    "ber": (POS,),
    "bei": (POS,),
    "ker": (POS,),
    "kei": (POS,),
    "berp": (POS,),
    "beip": (POS,),
    "kerp": (POS,),
    "keip": (POS,),
    "kelvin": (POS,),
    "wright_bessel": (POS, POS, POS),
    "log_wright_bessel": (POS, POS, POS),
    # elliptic
    "elliprd": (POS, POS, POS),
    "elliprf": (POS, POS, POS),
    "elliprg": (POS, POS, POS),
    "elliprc": (POS, POS),
    "elliprj": (POS, POS, POS, (4.0, 6.0)),
    "ellipk": ((-1.0, 0.8),),
    "ellipkm1": ((0.2, 1.5),),
    "ellipe": ((-1.0, 0.8),),
    "ellipkinc": (ANY, (-1.0, 0.8)),
    "ellipeinc": (ANY, (-1.0, 0.8)),
    "ellipj": (ANY, (0.1, 0.8)),
    "agm": (POS, POS),
    # Airy
    "airy": (ANY,),
    "airye": (POS,),
    "itairy": (POS,),
    # hypergeometric, parabolic cylinder
    "hyp0f1": (POS, ANY),
    "hyp1f1": (POS, POS, ANY),
    "hyp2f1": (POS, POS, POS, (-0.8, 0.8)),
    "hyperu": (POS, POS, POS),
    "pbdv": (ANY, ANY),
    "pbvv": (ANY, ANY),
    "pbwa": (ANY, ANY),
    # orthogonal
    "eval_jacobi": (N(0, 5), POS, POS, P),
    "eval_sh_jacobi": (N(0, 5), (3.0, 4.0), POS, P),
    "eval_gegenbauer": (N(0, 5), POS, P),
    "eval_genlaguerre": (N(0, 5), POS, P),
    **{
        f"eval_{name}": (N(0, 5), P)
        for name in (
            *("chebyt", "chebyu", "chebyc", "chebys", "sh_chebyt", "sh_chebyu", "legendre"),
            *("sh_legendre", "laguerre", "hermite", "hermitenorm"),
        )
    },
    "lpmv": (N(0, 3), POS, P),
    # Mathieu and spheroidal
    "mathieu_a": (N(1, 4), POS),
    "mathieu_b": (N(1, 4), POS),
    "mathieu_cem": (N(1, 4), POS, (10.0, 80.0)),
    "mathieu_sem": (N(1, 4), POS, (10.0, 80.0)),
    "mathieu_modcem1": (N(1, 4), POS, (0.3, 1.0)),
    "mathieu_modcem2": (N(1, 4), POS, (0.3, 1.0)),
    "mathieu_modsem1": (N(1, 4), POS, (0.3, 1.0)),
    "mathieu_modsem2": (N(1, 4), POS, (0.3, 1.0)),
    "pro_cv": (N(0, 2), N(2, 4), POS),
    "obl_cv": (N(0, 2), N(2, 4), POS),
    "pro_ang1": (N(0, 2), N(2, 4), POS, P),
    "obl_ang1": (N(0, 2), N(2, 4), POS, P),
    "pro_rad1": (N(0, 2), N(2, 4), POS, (1.5, 3.0)),
    "pro_rad2": (N(0, 1), N(2, 4), (0.3, 2.0), (1.5, 3.0)),  # SciPy's values jump for m = 1
    "obl_rad1": (N(0, 2), N(2, 4), POS, (0.5, 2.0)),
    "obl_rad2": (N(1, 2), N(3, 4), POS, (1.7, 2.5)),  # and are wrong for (0, 2)
    "pro_ang1_cv": (*PROLATE, P),
    "obl_ang1_cv": (*OBLATE, P),
    "pro_rad1_cv": (*PROLATE, (1.5, 3.0)),
    "pro_rad2_cv": (*PROLATE, (1.5, 3.0)),
    "obl_rad1_cv": (*OBLATE, (0.5, 2.0)),
    "obl_rad2_cv": (*OBLATE_2, (1.7, 2.5)),
    # distributions
    "chndtr": (POS, POS, POS),
    "chndtrix": (P, POS, POS),
    "chndtrinc": ((1.0, 2.0), (1.0, 2.0), (0.1, 0.2)),
    "chndtridf": ((1.0, 2.0), (0.1, 0.2), (0.5, 1.0)),
    "ncfdtr": (POS, POS, POS, POS),
    "ncfdtri": (POS, POS, POS, P),
    "ncfdtrinc": ((2.0, 3.0), (2.0, 3.0), (0.1, 0.2), (1.0, 1.5)),
    "ncfdtridfd": ((2.0, 3.0), (0.3, 0.4), (0.5, 1.0), (1.0, 1.5)),
    "ncfdtridfn": ((0.44, 0.46), (2.5, 2.6), (0.5, 0.55), (1.0, 1.02)),
    "nctdtr": (POS, ANY, ANY),
    "nctdtrit": ((1.0, 4.0), ANY, P),
    "nctdtrinc": ((1.0, 4.0), P, ANY),
    "nctdtridf": ((0.6, 0.62), (0.5, 0.51), (1.0, 1.01)),
    "kolmogorov": ((0.4, 2.0),),
    "kolmogi": (P,),
    "smirnov": (N(1, 6), (0.05, 0.15)),
    "smirnovi": (N(1, 6), (0.75, 0.9)),
    # derivatives that lucid computes itself
    "gamma_density": (POS, POS),
    "gammainc_a": (POS, POS),
    "gammainc_aa": (POS, POS),
    "beta_density": (POS, POS, P),
    "betainc_a": (POS, POS, P),
    "betainc_b": (POS, POS, P),
    "betainc_aa": (POS, POS, P),
    "betainc_ab": (POS, POS, P),
    "betainc_bb": (POS, POS, P),
    "t_density": (POS, ANY),
    "zeta_x": ((1.5, 6.0), POS),
    "zeta_xx": ((1.5, 6.0), POS),
    "zetac_x": ((1.5, 6.0),),
    "zetac_xx": ((1.5, 6.0),),
    "kv_v": (ANY, POS),
    "kv_vv": (ANY, POS),
    "kve_v": (ANY, POS),
    "kve_vv": (ANY, POS),
    "chi2_density": (POS, POS, POS),
    "chi2_density_df": (POS, POS, POS),
    "chndtr_df": (POS, POS, POS),
    "chndtr_dfdf": (POS, POS, POS),
    "ncf_a": (POS, POS, POS, P),
    "ncf_b": (POS, POS, POS, P),
    "nctdtr_df": (POS, ANY, ANY),
    "kolmogorov_1": ((0.4, 2.0),),
    "kolmogorov_2": ((0.4, 2.0),),
    "smirnov_1": (N(1, 6), (0.05, 0.15)),
    "smirnov_2": (N(1, 6), (0.05, 0.15)),
}
DOMAINS |= {name: (POS, POS, POS) for name in ROWS if name.startswith("elliprd_")}
DOMAINS |= {name: (POS, ANY, ANY) for name in ROWS if name.startswith("nct_moment")}

# SciPy takes complex numbers here, and the derivative is that of an analytic function
ANALYTIC = {
    "gamma": ((0.5, 2.0),),
    "erfcx": ((0.2, 1.5),),
    "erfi": ((0.2, 1.5),),
    "dawsn": ((0.2, 1.5),),
    "wofz": ((0.2, 1.5),),
    "fresnel": ((0.2, 1.2),),
    "ndtr": ((0.2, 1.5),),
    "log_ndtr": ((0.2, 1.5),),
    "exp1": ((0.5, 2.0),),
    "expi": ((0.5, 2.0),),
    "sici": ((0.5, 2.0),),
    "shichi": ((0.5, 2.0),),
    "spence": ((0.5, 1.5),),
    "wrightomega": ((0.2, 1.5),),
    "airy": ((0.2, 1.5),),
    "elliprf": ((0.5, 2.0),) * 3,
    "elliprd": ((0.5, 2.0),) * 3,
    "elliprg": ((0.5, 2.0),) * 3,
    "xlogy": ((0.5, 2.0),) * 2,
    "xlog1py": ((0.5, 2.0),) * 2,
    "expm1": ((0.2, 1.5),),
    "log1p": ((0.2, 1.5),),
}
# first derivatives only: the second is refused by name, or SciPy's error drowns its differences
FIRST = {
    *("betainc_a", "betainc_b", "elliprd_x", "elliprd_y", "elliprd_z", "gammainc_a"),
    *(
        "chndtr_df",
        "ncf_a",
        "ncf_b",
        "nctdtr_df",
        "ncfdtr",
        "ncfdtri",
        "nctdtr",
        "nctdtrit",
        "chi2_density",
    ),
    *("ncfdtridfd", "ncfdtridfn", "nctdtridf", "nct_moment0", "nct_moment1"),
    *("kolmogorov_1", "kv_v", "kve_v", "nct_moment2", "nct_moment3", "smirnov_1", "zeta_x"),
    *("zetac_x", "gamma-complex"),
    *("mathieu_modcem1", "mathieu_modcem2", "mathieu_modsem1", "mathieu_modsem2"),
    *("chndtrinc", "chndtridf", "fdtridfd", "itairy", "ncfdtrinc", "nctdtrinc"),
}
# how far SciPy's values, found by iteration, are from rounding: their differences show it
ROUGH = {
    "itairy": 1e3,
    "ncfdtridfd": 1e3,
    "ncfdtridfn": 1e3,
    "nctdtridf": 1e2,
    "chndtridf": 1e2,
    "ncfdtrinc": 1e4,
    "nctdtrinc": 1e2,
    "fdtridfd": 1e2,
}


def between(lo: float, hi: float) -> Any:
    """Draw real numbers beside whole ones: an interval would be rounded with those."""

    def sample(rng: Any, shape: Any, dtype: Any) -> Any:
        return rng.uniform(lo, hi, shape).astype(dtype if dtype.kind in "fc" else float)

    return sample


def record(name: str, domains: tuple[Any, ...], dtypes: Any, suffix: str = "") -> Record:
    row = ROWS[name]
    diff = [
        i
        for i, (p, d) in enumerate(zip(row.partials.values(), domains, strict=True))
        if not isinstance(p, NoRule) and isinstance(d, tuple)
    ]
    if any(p is ZERO for p in row.partials.values()):
        diff = []
    if any(callable(d) for d in domains):
        domains = tuple(d if callable(d) else between(*d) for d in domains)
    return Record(
        f"special.{name}",
        row.call,
        getattr(sc, name) if row.public or name in ("zeta", "lambertw") else None,
        domains=domains,
        shapes=None if len(domains) <= 3 else (((2, 3),) * len(domains), ((),) * len(domains)),
        dtypes=dtypes,
        diff=diff,
        order=1 if {name, f"{name}-{suffix}"} & FIRST else 2,
        scale=ROUGH.get(name, 1.0),
        id=suffix,
    )


RECORDS = [record(name, domains, REAL) for name, domains in DOMAINS.items()]
RECORDS += [record(name, domains, COMPLEX, "complex") for name, domains in ANALYTIC.items()]
