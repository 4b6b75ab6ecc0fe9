# Greets everybody who is named on the command line. Needs the generated $msg_welcome.
for name in "$@"; do
    # The format comes from our own schema.
    printf "$msg_welcome\n" "$name"
done
