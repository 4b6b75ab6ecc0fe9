# usage: sh tools/bundle.sh FOLDER TARGET
# Joins the generated messages and the program of a folder to one executable file.
set -eu

folder=$1 target=$2
mkdir -p "$(dirname "$target")"
if [ -f "$folder/main.awk" ]; then
    first='#!/usr/bin/awk -f' messages=generated/messages.awk program=$folder/main.awk
else
    first='#!/bin/sh' messages=generated/messages.sh program=$folder/main.sh
fi
{
    echo "$first"
    cat "$messages" "$program"
} > "$target"
chmod +x "$target"
