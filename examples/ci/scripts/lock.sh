# words/*.in -> words.lock
set -eu

sort -u words/*.in > words.lock
wc -l < words.lock | tr -d ' '
