# One sentence a line, and no line ends in white space.

/[[:space:]]$/ { say("ends in white space") }
/[.!?] +[A-Z]/ { say("holds more than one sentence") }

function say(what) {
    print FILENAME ":" FNR ": " what
    found = 1
}

END { exit found }
