"""Questions other than one trial. One module a kind, named after it, with one function::

    def run(config: StudyConfig, steps: Steps) -> Findings

It computes and draws nothing; its page is ``trialsim.report.analyses.<kind>``, its settings ``trialsim.schema.analysis.<kind>``,
its defaults ``conf/analysis``.
"""

from trialsim.analyses.findings import Findings as Findings
from trialsim.analyses.findings import find as find
from trialsim.analyses.findings import save as save
from trialsim.analyses.steps import Steps as Steps
