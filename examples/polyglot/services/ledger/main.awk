# Adds up the second column. Needs the generated msg["total"].
BEGIN { FS = "\t" }
{ total += $2 }
END { printf msg["total"] "\n", total }
