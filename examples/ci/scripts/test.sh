# The lock file is sorted and knows an apple.
set -eu

sort -c words.lock
grep -qx apple words.lock
