import pytest

from perinatal.person_names import find_names, mask_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Baby Alice Smith was born at St Mary's Hospital.", ["Alice", "Smith"]),
        ("Mrs J Jones was seen by Dr. A. Patel.", ["Jones", "Patel"]),
        ("HM Coroner Jane Doe opened the inquest.", ["Jane", "Doe"]),
        ("Jane Doe, HM Senior Coroner for Essex, wrote.", ["Jane", "Doe"]),
        ("The inquest into the death of Oluwaseun Adeyemi-Clarke.", ["Oluwaseun", "Adeyemi", "Clarke"]),
        ("Mr and Mrs O'Brien-Shah said that their daughter Freya was ignored. Freya died.", ["Brien", "Shah", "Freya"]),
        ("Dr van der Berg and Professor Dame Lesley Regan gave evidence.", ["Berg", "Lesley", "Regan"]),
        ("Midwife Jones told Sister Mary O’Neill.", ["Jones", "Mary", "Neill"]),
        ("Zrinka Qvist, aged 3 days, died. Qvist's parents agreed.", ["Zrinka", "Qvist"]),
        ("Sarah Brown told the inquest that Mrs Khan’s care was poor.", ["Sarah", "Brown", "Khan"]),
        ("Write to jane.doe@trust.nhs.uk for a copy.", ["jane", "doe"]),
        ("Dr Montgomery and Mr Bishop gave evidence.", ["Montgomery", "Bishop"]),
        ("The father, Muhammad Iqbal Hussain, asked twice.", ["Muhammad", "Iqbal", "Hussain"]),
    ],
)
def test_personal_names_are_masked(text, names):
    masked = mask_names(text)
    assert not [name for name in names if name in masked], masked
    assert mask_names(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Queen Charlotte's Hospital and James Cook University Hospital merged their rotas.",
        "Princess Alexandra Hospital NHS Trust; William Harvey Hospital; Royal Victoria Infirmary.",
        "Robert Jones and Agnes Hunt Orthopaedic Hospital.",
        "Guy's and St Thomas' NHS Foundation Trust; Barking, Havering and Redbridge; Chelsea and Westminster.",
        "Elizabeth Garrett Anderson Wing at University College Hospital.",
        "Each Baby Counts, the Baby Friendly Initiative and Saving Babies' Lives.",
        "The Ockenden Review, the Bishop score, Kielland's forceps, McRoberts and Dawes Redman criteria.",
        "Midwife Led Unit; Nurse Director; Consultant Midwife; Sister hospitals.",
        "The Trust should ensure that staff in May and April will be told; Hope Ward closed.",
        "Baby A and Ms K were seen. The Coroner found that the mother had not been told.",
        "HM Coroner for Essex and the Royal College of Obstetricians and Gynaecologists.",
    ],
)
def test_organisations_and_terms_survive(text):
    assert mask_names(text) == text


def test_a_documents_names_are_masked_in_all_its_findings():
    names = find_names("The death of Zrinka Qvist was reported by Dr A. Patel.")
    assert mask_names("Qvist had been seen twice by Patel.", names) == "[name] had been seen twice by [name]."


def test_known_limits_stay_known():
    missed = "zrinka qvist was seen. ZRINKA QVIST was seen. Then Qvist Zrinka came in."
    assert mask_names(missed) == missed
