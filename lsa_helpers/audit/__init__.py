"""What a printed table of classes or of detections tells beyond what it says: which numbers cannot
be, what the rounded ones allow, and what they imply.
"""

from lsa_helpers.audit.auc import auc_bounds
from lsa_helpers.audit.class_table import audit_classes
from lsa_helpers.audit.detection_table import audit_detections, implied_recall
from lsa_helpers.audit.numbers import intervals
from lsa_helpers.audit.printed import read_printed, understand
from lsa_helpers.audit.table import VERDICTS, audit, report

__all__ = [
    "VERDICTS",
    "auc_bounds",
    "audit",
    "audit_classes",
    "audit_detections",
    "implied_recall",
    "intervals",
    "read_printed",
    "report",
    "understand",
]
