#!/usr/bin/env bash
# tests/seeds.sh FOLDER: where the fuzzers begin, a folder for each: golden archives and containers,
# archives made of them by $NZIP, and what is cut out of both.
set -eu
cd "$(dirname "$0")/.."
to=$1
nzip=${NZIP:-./nzip}
rm -rf "$to"
for name in $(cd fuzz && ls *.c | sed 's/\.c$//'); do mkdir -p "$to/$name"; done
containers=$(find tests/containers -type f ! -name '*.txt' ! -name '*.py')
raws=$(find tests/golden -name 'good-*.raw' ! -name 'good-primed-*' -size -17)

# Without the deep levels and those that read a prior first, which take seconds under sanitizers.
find tests/golden -name '*.nz' ! -name 'good-primed-*' ! -name '*-[579].nz' -exec cp {} "$to/archive" \;
cp tests/golden/good-weights-*.nz "$to/weights"
base=tests/containers/all.safetensors
for file in $containers tests/golden/good-weights-1.raw tests/golden/good-blocks-3.raw; do
    name=$(basename "$file")
    for level in 1 3; do
        "$nzip" -$level -qc "$file" >"$to/weights/$name-$level"
    done
done
for level in 1 3 7; do
    "$nzip" -$level -qc --base=$base tests/containers/all.safetensors >"$to/weights/delta-$level"
done

# Files as they are, and with choices behind them.
cp $containers "$to/containers"
for name in safetensors gguf npy onnx; do cp tests/containers/*.$name "$to/$name"; done
cp tests/containers/*.npz tests/containers/{torch,torch4,module}.pt "$to/zip"
cp $containers $raws "$to/split"
random() { # SEED BYTES
    perl -e 'srand(shift); binmode STDOUT; print chr(int(rand(256))) for 1 .. shift' "$1" "$2"
}
seed=0
for raw in $raws; do
    name=$(basename "$raw")
    for target in fast deep detect filter lz words; do
        seed=$((seed + 1))
        most=20000
        [ $target != deep ] || most=400
        { head -c $most "$raw" && random $seed 32; } >"$to/$target/$name"
    done
done

# Choices alone.
for seed in $(seq 40); do
    for target in tensors mixed deflate roundtrip detect; do
        random "$seed" $((seed * 40)) >"$to/$target/$seed"
    done
done

# Pickles; directories; deflate streams of zip members.
perl -e '
    my $to = shift;
    sub slurp { local (@ARGV, $/) = @_; binmode STDIN; open my $f, "<:raw", $_[0]; <$f> }
    sub put { my ($name, $data) = @_; open my $f, ">:raw", "$to/$name"; print $f $data }
    for my $file (@ARGV) {
        my ($name) = $file =~ m{([^/]*)$};
        my $all = slurp($file);
        put("pickle/$name", "$1\0\1") if $all =~ /data\.pkl.*?(\x80[\x02-\x05].*?\.)PK\x07\x08/s;
        put("pickle/$name", substr($all, 0) . "\1\1") if $name =~ /old/;
        put("deflate/$name", substr($all, 30 + unpack("v", substr($all, 26, 2))))
            if $name =~ /packed/;
    }' "$to" $containers
perl -e '
    my $to = shift;
    for my $file (@ARGV) {
        my ($name) = $file =~ m{([^/]*)$};
        open my $f, "<:raw", $file or die;
        my $all = do { local $/; <$f> };
        my $end = length($all) - 8;
        my $tag = $end - unpack("V", substr($all, $end, 4));
        my $at = rindex($all, "\xd0", $tag);
        while ($at > 0) {
            my ($size, $shift, $p) = (0, 0, $at + 1);
            my $byte;
            do { $byte = ord(substr($all, $p++, 1)); $size |= ($byte & 127) << $shift; $shift += 7 }
                while ($byte & 128 && $shift < 28);
            if ($p + $size + 4 == $tag) {
                open my $out, ">:raw", "$to/directory/$name" or die;
                print $out substr($all, $p, $size), pack("V", 0xffffff);
                last;
            }
            $at = rindex($all, "\xd0", $at - 1);
        }
    }' "$to" "$to"/weights/*
