#!/usr/bin/env bash
# Labels of real tiles instead of painted drawings: which way of learning from them is better?
#
# usage: recipes/real_labels.sh [FOLDER]     (default runs/real-labels; about 35 minutes of CPU time)
#
# The generator of nuclei that comes with hdgan learns from sixteen labelled real images, once by
# projection and once by gradient matching; 200 pairs of each train a segmenter, which is tested on
# the images of fold 0, that none of them has seen. Beside them a segmenter that is shown the sixteen
# images themselves. Data and commands are those of recipes/nuclei.sh. That `projection` is the
# default was chosen on one such draw and on this fold: for it, fold 0 is no longer an unseen test.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${HDGAN_DATA:-../shared/data}/nuclei_brightfield
out=${1:-runs/real-labels}
if [ ! -d "$data/image" ]; then
  echo "No images in $data/image. Set HDGAN_DATA to the folder that holds nuclei_brightfield." >&2
  exit 2
fi
scripts/install run
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
mkdir -p "$out"

timed() { # name, command: the seconds of CPU that it takes are kept beside its result
  local name=$1
  shift
  if [ ! -f "$out/$name.seconds" ]; then
    TIMEFORMAT='%U'
    { time "$@" 2>&3; } 3>&2 2> "$out/$name.part"
    mv "$out/$name.part" "$out/$name.seconds"
  fi
}

$hdgan tile "$data/image" "$out/tiles"
.venv/bin/python recipes/outlines_to_classes.py "$data/instances" "$out/label-maps"
$hdgan import-annotations "$out/tiles" "$out/label-maps" "$out/real" \
  --classes recipes/nuclei_classes.json

segmenter=(--steps 600 --batch 16 --crop-px 64)
for draw in 0 1 2; do
  for way in projection gradient-matching; do
    timed "$way-$draw" $hdgan train-classifier "$out/real" "$out/$way-$draw" --generator nuclei \
      --real-labels $way --num-images 16 --draw $draw
    $hdgan synthesize "$out/$way-$draw" "$out/pairs-$way-$draw" --num-pairs 200
    $hdgan train-segmenter "$out/pairs-$way-$draw" "$out/segmenter-$way-$draw" "${segmenter[@]}"
  done
  $hdgan train-segmenter "$out/real" "$out/segmenter-sixteen-$draw" "${segmenter[@]}" \
    --num-images 16 --draw $draw
  for arm in projection gradient-matching sixteen; do
    $hdgan evaluate "$out/segmenter-$arm-$draw" "$out/real" "$out/score-$arm-$draw" --fold 0
  done
done
.venv/bin/python recipes/real_labels_results.py "$out" > "$out/results.md"
echo "Read $out/results.md"
