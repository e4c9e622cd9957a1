"""Height and body-mass index of children: the CDC 2000 growth reference.

Kuczmarski RJ et al., 2000 CDC growth charts for the United States, Vital Health Stat 11(246), 2002. Values of the
public tables ``statage`` and ``bmiagerev`` (Box-Cox power L, median M, coefficient of variation S) at about yearly
ages. Linear interpolation between these rows stays within 0.65 % of the full monthly table for z-scores of -2, 0 and
2.
"""

from __future__ import annotations

import numpy as np

# Age of the rows, months. The last row is the table's end (20 years).
AGE_MONTHS = np.array([24.5, *(12.0 * year + 0.5 for year in range(3, 20)), 239.5])
ADULT_AGE_Y = 20.0
# Outside this range the fitted Box-Cox tails of body-mass index run away (a z-score of 3 at age 7 gives 37 kg/m2).
Z_LIMIT = 2.5

# Each row: L, M, S.
STATURE_CM = {
    "M": np.array([
        (1.0072, 86.8616, 0.04040), (-0.3909, 95.2736, 0.04053), (0.8276, 102.5105, 0.04134),
        (1.2664, 109.1751, 0.04259), (1.1374, 115.6609, 0.04367), (0.7532, 122.0305, 0.04440),
        (0.4553, 128.1237, 0.04513), (0.4157, 133.7345, 0.04622), (0.5056, 138.8234, 0.04761),
        (0.4879, 143.7304, 0.04894), (0.4209, 149.3088, 0.04995), (0.8162, 156.4099, 0.05033),
        (1.6704, 164.1418, 0.04895), (2.2052, 170.1393, 0.04589), (2.1130, 173.6101, 0.04309),
        (1.7247, 175.3410, 0.04141), (1.4000, 176.1850, 0.04064), (1.2292, 176.6179, 0.04039),
        (1.1686, 176.8415, 0.04037),
    ]),
    "F": np.array([
        (1.0513, 85.3973, 0.04086), (0.5420, 94.2134, 0.04202), (0.2257, 101.0339, 0.04326),
        (-0.0577, 107.9566, 0.04428), (-0.2191, 115.0055, 0.04496), (-0.2102, 121.7617, 0.04546),
        (-0.0793, 127.8263, 0.04597), (0.0841, 133.1304, 0.04688), (0.2847, 138.2112, 0.04870),
        (0.7443, 144.2609, 0.05052), (1.3030, 151.4866, 0.04860), (1.2430, 157.3437, 0.04386),
        (0.9566, 160.4777, 0.04102), (0.8956, 161.8980, 0.04008), (0.9411, 162.5690, 0.03982),
        (0.9995, 162.9238, 0.03973), (1.0476, 163.1308, 0.03969), (1.0833, 163.2590, 0.03966),
        (1.1071, 163.3354, 0.03964),
    ]),
}  # fmt: skip
BMI_KG_M2 = {
    "M": np.array([
        (-1.9824, 16.5478, 0.08013), (-1.4200, 16.0003, 0.07263), (-1.7149, 15.6282, 0.07189),
        (-2.6152, 15.4191, 0.07599), (-3.2117, 15.3835, 0.08305), (-3.3232, 15.5129, 0.09213),
        (-3.1831, 15.7823, 0.10209), (-2.9711, 16.1671, 0.11172), (-2.7656, 16.6461, 0.12011),
        (-2.5906, 17.2009, 0.12673), (-2.4474, 17.8146, 0.13139), (-2.3295, 18.4718, 0.13414),
        (-2.2274, 19.1576, 0.13525), (-2.1323, 19.8577, 0.13511), (-2.0390, 20.5576, 0.13420),
        (-1.9491, 21.2425, 0.13306), (-1.8747, 21.8959, 0.13229), (-1.8351, 22.5007, 0.13257),
        (-1.8411, 22.9991, 0.13441),
    ]),
    "F": np.array([
        (-1.0245, 16.3880, 0.08503), (-2.0968, 15.6992, 0.07861), (-3.0185, 15.2985, 0.07871),
        (-3.3501, 15.1519, 0.08430), (-3.2256, 15.2169, 0.09380), (-2.9262, 15.4536, 0.10533),
        (-2.6172, 15.8270, 0.11716), (-2.3609, 16.3061, 0.12801), (-2.1713, 16.8623, 0.13706),
        (-2.0452, 17.4691, 0.14387), (-1.9755, 18.1015, 0.14836), (-1.9550, 18.7364, 0.15071),
        (-1.9771, 19.3526, 0.15126), (-2.0349, 19.9306, 0.15051), (-2.1192, 20.4533, 0.14909),
        (-2.2157, 20.9058, 0.14772), (-2.3037, 21.2753, 0.14727), (-2.3557, 21.5508, 0.14872),
        (-2.3470, 21.7119, 0.15272),
    ]),
}  # fmt: skip


def measurement(table: dict[str, np.ndarray], age_y: np.ndarray, sex: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The measurement at a z-score: M (1 + L S z)^(1/L), Cole & Green, Stat Med 1992;11:1305.

    Args:
        table: rows of (L, M, S) by sex, at AGE_MONTHS.
        age_y: age, years, shape (patients,). Ages outside 2 to 20 take the end of the table.
        sex: "F" or "M", shape (patients,).
        z: z-score, shape (patients,); clipped to +-Z_LIMIT.

    Returns:
        height in cm or body-mass index in kg/m2, shape (patients,).
    """
    months = 12.0 * age_y
    clipped = np.clip(z, -Z_LIMIT, Z_LIMIT)
    power, median, variation = (
        np.where(
            sex == "F",
            np.interp(months, AGE_MONTHS, table["F"][:, column]),
            np.interp(months, AGE_MONTHS, table["M"][:, column]),
        )
        for column in range(3)
    )
    # As L tends to 0 the formula tends to M exp(S z).
    flat = np.abs(power) < 1e-6
    safe = np.where(flat, 1.0, power)
    return np.where(
        flat, median * np.exp(variation * clipped), median * (1.0 + safe * variation * clipped) ** (1.0 / safe)
    )
