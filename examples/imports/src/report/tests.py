import unittest

from report import main


class ReportTest(unittest.TestCase):
    def test_plugin(self):
        self.assertGreater(main.length.meters(1), 0)
