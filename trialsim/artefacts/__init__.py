"""What a run leaves behind: a folder of whole files, claimed by one run, never overwritten, resumable by stage."""

from trialsim.artefacts.claim import config_sha256 as config_sha256
from trialsim.artefacts.claim import is_finished as is_finished
from trialsim.artefacts.folder import RunFolder as RunFolder
from trialsim.artefacts.folder import Stage as Stage
from trialsim.artefacts.saved import SavedRun as SavedRun
from trialsim.artefacts.saved import load_run as load_run
