"""What the invented figures rest on: England's shares and rates of 2025, rounded, by dimension and measure."""

from __future__ import annotations

from typing import NamedTuple

MISSING = "Missing Value / Value outside reporting parameters"

# dimension → what it counts, and England's shares of 2025 in per mille by category (None: a total)
Shares = dict[str | None, float]
DIMENSIONS: dict[str, tuple[str, Shares]] = {
    "TotalBabies": ("Babies", {None: 1000}),
    "TotalDeliveries": ("Women", {None: 985}),
    "TotalBookings": ("Women", {None: 1300}),
    "ApgarScore5TermGroup7": ("Babies", {"0 to 6": 12, "7 to 10": 870, MISSING: 118}),
    "BabyFirstFeedBreastMilkStatus": (
        "Babies",
        {"Maternal or Donor Breast Milk": 670, "Not Breast Milk": 260, MISSING: 70},
    ),
    "DeliveryMethodBabyGroup": (
        "Women",
        {
            "Spontaneous": 437,
            "Instrumental": 98,
            "Elective caesarean section": 195,
            "Emergency caesarean section": 245,
            "Other": 3,
            MISSING: 7,
        },
    ),
    "DeprivationDecileAtBooking": (
        "Women",
        {
            "01 - Most deprived": 177,
            **{f"{decile}.0": 165 - 8 * decile for decile in range(2, 10)},
            "10 - Least deprived": 93,
            MISSING: 3,
        },
    ),
    "EthnicCategoryMotherGroup": (
        "Women",
        {
            "White": 832,
            "Asian or Asian British": 232,
            "Black or Black British": 99,
            "Mixed": 39,
            "Any other ethnic group": 59,
            "Not Stated": 26,
            "Not known": 9,
            MISSING: 4,
        },
    ),
    "GestationLengthBirthGroup37": ("Babies", {"<37 weeks": 79, ">=37 weeks": 917, MISSING: 4}),
    "SmokingStatusGroupBooking": (
        "Women",
        {"Smoker": 110, "Non-Smoker / Ex-Smoker": 1122, "Unknown": 0.2, MISSING: 68},
    ),
}
AVERAGE = "AgeAtBookingMotherAvg"
# what the file of 2019-20 calls the dimensions that it has
OLD_NAMES = {
    "TotalBabies": "TOTAL BABIES",
    "TotalDeliveries": "TOTAL DELIVERIES",
    "ApgarScore5TermGroup7": "APGARSCORE5TERMGROUP7",
    "BabyFirstFeedBreastMilkStatus": "BABYFIRSTFEEDBREASTMILKSTATUS",
    "SmokingStatusGroupBooking": "SMOKINGATBOOKING",
}


class Measure(NamedTuple):
    """One measure: family, numerator per mille of the denominator, denominator per mille of births, printed rate."""

    family: str
    share: int
    base: int
    currency: str = "Rate"
    has_result: bool = True
    for_areas: bool = True


MEASURES = {
    "Induction": Measure("Birth", 295, 980),
    "Mode_Caesarean_emergency": Measure("Birth", 234, 980, has_result=False),
    "CQIMPPH": Measure("CQIM_Rate", 32, 3000, "Rate per Thousand"),
    "CQIMApgar": Measure("CQIM_Rate", 14, 2700, "Rate per Thousand"),
    "CQIMTears": Measure("CQIM_Rate", 30, 1600, "Rate per Thousand"),
    "CQIMPreterm": Measure("CQIM_Rate", 63, 1000, "Rate per Thousand"),
    "CQIMSmokingDelivery": Measure("CQIM_Rate", 56, 980),
    "COC_by_28weeks": Measure("COC_Rate", 171, 1050),
    "COC_by_28weeks_IMD_01_Most_deprived": Measure("COC_Rate", 163, 140, has_result=False),
    "CQIMDQ03": Measure("CQIM_DQ_Measure", 1150, 1200, for_areas=False),
}
