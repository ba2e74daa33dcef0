#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# commands.sh CONSISTENCY FOLDER: that every command is there and helps, what stands for what went wrong, pipes, completion.
set -euo pipefail
consistency=$1 folder=$2

fail() {
  echo "commands.sh: $1"
  exit 1
}

# ends STATUS WORDS ARGUMENT...: the command ends so and says so.
ends() {
  local status=0 said
  said=$("$consistency" "${@:3}" 2>&1) || status=$?
  [[ $status == "$1" ]] || fail "${*:3}: ended with $status, not $1: $said"
  [[ $said == *"$2"* ]] || fail "${*:3}: no \"$2\" in: $said"
}

rm -rf "$folder"
mkdir -p "$folder"

ends 2 "Usage: consistency COMMAND"
ends 0 "Exit status: 0 done, 1 failed" --help
ends 0 "consistency 0." --version
ends 2 'no command "trian"' trian
ends 2 "--stpes" sample --stpes 2
ends 1 "consistency sample: $folder/none" sample --model "$folder/none"
ends 0 "instructions" info
mapfile -t commands < <("$consistency" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z0-9-]*\) .*/\1/p')
((${#commands[@]} > 9)) || fail "few commands: ${commands[*]}"
for command in "${commands[@]}"; do
  ends 0 "  consistency $command" "$command" --help  # an example, of the command's name
done

# A pipe that is closed early is no error of ours, and nothing but what was asked for goes into it.
[[ $("$consistency" info | head -n 1) == consistency* ]] || fail "no first line through a pipe"

# Beside none of its programs it says what is missing; where they were installed it finds them.
mkdir "$folder/bin"
cp "$consistency" "$folder/bin/consistency"
status=0
said=$("$folder/bin/consistency" info 2>&1) || status=$?
[[ $status == 1 && $said == *"Build the target consistency_examples"* ]] || fail "alone: ended with $status: $said"

# Completion.
# shellcheck source=examples/programs/completion.bash
source "$(dirname "${BASH_SOURCE[0]}")/completion.bash"
complete_words() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _consistency
  echo "${COMPREPLY[*]}"
}
[[ $(complete_words "$consistency" sam) == sample ]] || fail "sam: $(complete_words "$consistency" sam)"
[[ $(complete_words "$consistency" sample --see) == --seed ]] || fail "--see: $(complete_words "$consistency" sample --see)"
[[ -z $(complete_words "$consistency" sample mod) ]] || fail "names of files are bash's own"
rm -rf "$folder"
