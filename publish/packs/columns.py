"""The columns of a workbook's sheets: their heads, widths, what they mean and how they are highlighted."""

from __future__ import annotations

from publish.workbook import Column

INDICATOR = Column("Indicator", 40)
PERIOD = Column("Period", 14)
UNIT = Column("Unit", 11)
VERDICT = Column(
    "Verdict",
    11,
    "Better, similar or worse than what the value is compared with; empty where nothing may be concluded.",
    "words",
)
WHOSE = Column(
    "Whose verdict",
    20,
    "The publisher's, or ours by funnel limits. Deaths are judged by MBRRACE-UK alone, by its stabilised and adjusted "
    "rate, never by the rate shown.",
)
FROM = Column("From", 8, "Lower 95% limit of the value.")
TO = Column("To", 8, "Upper 95% limit of the value.")
STANDING_OUT = (
    Column("Kind", 14, "Deaths first, then harm, other outcomes, care."),
    Column("Organisation", 30),
    INDICATOR,
    PERIOD,
    UNIT,
    Column("Value", 11, "The rate as published, or from the published counts; empty where masked or incomplete."),
    Column("Adjusted value", 11, "The publisher's adjusted rate, where the verdict rests on it."),
    Column("Compared with", 11, "MBRRACE-UK: the average of similar trusts; others: England."),
    VERDICT,
    WHOSE,
    Column(
        "Events a year",
        12,
        "More events a year (fewer, where high is good) than that comparison gives; empty where counts are withheld.",
        "bar",
    ),
    Column("Worse since", 14, "Start of the run of worse verdicts that the newest figure ends."),
    Column("New", 8, "Stands out for the first time in this edition."),
    Column("Trusts that are worse", 36),
    Column("Look first at", 44),
)
FIGURES = (
    INDICATOR,
    Column("Topic", 16),
    Column("Publisher", 15),
    PERIOD,
    UNIT,
    Column("This LMS", 13, "Newest value. Masked: a small number is hidden. Between: a trust is masked or missing."),
    FROM,
    TO,
    Column("England", 9, "What the LMS's value is compared with."),
    VERDICT,
    WHOSE,
    Column("Over time", 14, "The LMS's last twelve points as bars from zero; a gap is masked or missing."),
    Column("Trend", 13, "Trend of the LMS over the last five points; empty where there are too few.", "words"),
    Column("Trajectory", 11, "The national ambition's trajectory for that year: a way to look, no target of the LMS."),
    Column("Position", 11, "Whether the LMS's interval lies above or below the trajectory.", "words"),
    Column("Reporting", 10, "Trusts (or local authorities) whose numbers are in the LMS's value, of those expected."),
)
TRUST_WIDTH = 12
MIND = Column("Mind", 50, "Warnings of the publisher or ours that go with the LMS's value.")
ANSWERED = Column(
    "Answers", 50, "What the LMS or a trust says to this figure, in its own words; an answer changes no number."
)
INEQUALITY = (
    INDICATOR,
    Column("By", 24, "Ethnicity or deprivation, in the publisher's words."),
    Column("Group", 28),
    PERIOD,
    UNIT,
    Column("Rate", 10),
    FROM,
    TO,
    Column("Compared with group", 24, "White, or the least deprived."),
    Column("Ratio", 9, "Rate over the rate of the group that is compared with."),
    Column("Ratio from", 9, "Lower 95% limit of the ratio."),
    Column("Ratio to", 9, "Upper 95% limit of the ratio."),
    Column("Differs", 12, "Higher or lower where the ratio's interval leaves 1 out: the reader says what is good."),
    Column("Gap", 10, "Rate less the rate of the group that is compared with, in the unit."),
)
CHANGES = (
    INDICATOR,
    Column("Organisation", 30),
    PERIOD,
    Column("Group", 18),
    UNIT,
    Column("Change", 18),
    Column("Before", 11, "Value in the last edition, where it may be shown."),
    Column("Now", 11, "Value in this edition."),
    Column("What differs", 26),
    Column("Why", 60),
)
DEFINITIONS = (
    Column("Indicator", 40),
    Column("What is counted", 60),
    Column("Number of", 34),
    Column("Out of", 34),
    Column("Unit", 14),
    Column("Good is", 10),
    Column("Mind", 50),
)
RELEASES = (
    Column("Publisher", 34),
    Column("Dataset", 26),
    Column("Release", 16),
    Column("Status", 12),
    Column("Published", 13),
    Column("Fetched", 18),
    Column("Licence", 28),
    Column("Address", 50),
    Column("File", 36),
    Column("SHA-256 of the file", 68),
)
MISSING = (
    Column("Publisher", 34),
    Column("Dataset", 26),
    Column("Trust", 16),
    Column("Periods missing", 12),
    Column("Newest period reported to", 13),
    Column("Newest period of the publisher to", 18),
)
EXPLAINED = (Column("Column", 40), Column("What it says", 60))
