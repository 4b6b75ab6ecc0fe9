import unittest

from units import cents


class Cents(unittest.TestCase):
    def test_whole_and_part(self):
        self.assertEqual(cents("12.5"), 1250)
        self.assertEqual(cents("3"), 300)
