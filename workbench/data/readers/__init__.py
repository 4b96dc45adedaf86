"""The classic readers, each from one layout of files to a list of ``InputExample``."""

from workbench.data.input_example import InputExample
from workbench.data.readers.label_sentence import LabelSentenceReader
from workbench.data.readers.nli_data import NLIDataReader
from workbench.data.readers.paired_files import PairedFilesReader
from workbench.data.readers.sts_data import STSBenchmarkDataReader, STSDataReader
from workbench.data.readers.triplet import TripletReader

__all__ = [
    "InputExample",
    "LabelSentenceReader",
    "NLIDataReader",
    "PairedFilesReader",
    "STSBenchmarkDataReader",
    "STSDataReader",
    "TripletReader",
]
