#!/usr/bin/env bash
# The generator of human kidney that comes with hdgan: sixteen images, in the look of one of them.
#
# usage: recipes/kidney.sh [FOLDER] [NUCLEI]     (default runs/kidney and runs/nuclei; two hours)
#
# Data: the folders kidney_multistain and kidney_glomeruli_ihc below $HDGAN_DATA (default
# ../shared/data); recipes/kidney_card.md says where they can be had. It begins from the generator
# that recipes/nuclei.sh makes in NUCLEI. Each command goes on where it was interrupted, and is
# skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${HDGAN_DATA:-../shared/data}
out=${1:-runs/kidney}
nuclei=${2:-runs/nuclei}
for folder in "$data/kidney_multistain" "$data/kidney_glomeruli_ihc"; do
  if [ ! -d "$folder" ]; then
    echo "There is no folder $folder. Set HDGAN_DATA to the folder that holds it." >&2
    exit 2
  fi
done
if [ ! -f "$nuclei/generator-64/manifest.json" ]; then
  echo "There is no generator in $nuclei/generator-64. Run recipes/nuclei.sh $nuclei first." >&2
  exit 2
fi
scripts/install run
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out/images"
cp "$data"/kidney_multistain/*.png "$data"/kidney_glomeruli_ihc/*.png "$out/images"
[ -d "$out/nuclei-64" ] || cp -r "$nuclei/generator-64" "$out/nuclei-64"

# Every image in the look of the PAS image: with each in a stain of its own, a generator learned the
# stains and drew one layout in all of them.
if [ ! -d "$out/one-look" ]; then
  .venv/bin/python recipes/one_look.py "$out/images" "$out/images/orig_patch_stain_02.png" \
    "$out/one-look.unfinished"
  mv "$out/one-look.unfinished" "$out/one-look"
fi
$hdgan tile "$out/one-look" "$out/tiles" --seed 8 --patient-pattern '(?:Nx_|stain_)(\d+)'
