"""Studies of three months in few patients, for tests of how a study is cut into blocks and parts."""

FAST = {
    "compute.block": 32,
    "compute.solver_check_patients": 0,
    "compute.progress": "off",
    "design.max_follow_up_months": 3,
    "regimen.max_treatment_days": 91,
    "inference.warmup": 200,
    "inference.samples": 200,
}
ADULT = (None, FAST | {"cohort.size": 90})
CHILDREN = ("everolimus_paediatric", FAST | {"cohort.size": 100, "compute.solver_check_patients": 2})
TABLES = ("patients", "visits", "pharmacodynamics", "adverse_events", "doses")


def content(folder):
    """Bytes of what the simulation leaves behind."""
    return {name: (folder / name).read_bytes() for name in (*(f"{table}.parquet" for table in TABLES), "simulation.json")}
