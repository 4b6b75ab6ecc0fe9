# schema/messages.tsv -> OUT/messages.sh and OUT/messages.awk

BEGIN { FS = "\t" }

/^#/ || NF < 2 { next }

{
    printf "msg_%s='%s'\n", $1, $2 > (out "/messages.sh")
    printf "BEGIN { msg[\"%s\"] = \"%s\" }\n", $1, $2 > (out "/messages.awk")
}
