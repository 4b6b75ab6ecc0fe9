import unittest

from scripts.report import title


class Title(unittest.TestCase):
    def test_it_is_loud(self):
        self.assertTrue(title().isupper())
