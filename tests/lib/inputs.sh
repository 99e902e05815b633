# Sourced by the test scripts: inputs of each kind, made from the tree, the same in every run.

# The sources, again and again if need be.
text_input() { # BYTES
    (while cat src/*.h src/*/*.c; do :; done) 2>/dev/null | head -c "$1"
}

# Machine code with an ELF header in front: the first bytes decide how a file is modelled.
program_input() { # BYTES PROGRAM
    head -c 64 "$2"
    tail -c +16385 "$2" | head -c $(($1 - 64))
}

# A grey ramp with soft noise, as a photograph has.
image_input() { # BYTES
    perl -e 'my $n = shift; my $w = 64 * int(1 + sqrt($n) / 64); my $h = int($n / $w) + 1;
        my $out = "P5\n$w $h\n255\n"; srand(7);
        for my $y (0 .. $h - 1) { for my $x (0 .. $w - 1) {
            $out .= chr(int(128 + 60 * sin($x / 17) + 50 * cos($y / 11) + rand(6))) } }
        binmode STDOUT; print substr($out, 0, $n)' "$1"
}

random_input() { # BYTES
    perl -e 'my $n = shift; srand(11); binmode STDOUT; print chr(int(rand(256))) for 1 .. $n' "$1"
}

# A checkpoint: matrices whose rows and columns have scales of their own, in every float format, a
# table that repeats, integers, a row of zeros; a safetensors file of about BYTES.
weights_input() { # BYTES
    perl -e '
        my $total = shift; my ($head, $data) = ("", ""); srand(5);
        sub gauss { my $s = 0; $s += rand() - .5 for 1 .. 6; $s }
        sub f32 { unpack("V", pack("f<", $_[0])) }
        sub half { my ($s, $e, $m) = (f32($_[0]) >> 31, (f32($_[0]) >> 23 & 255) - 112, f32($_[0]) & 0x7fffff);
            $e <= 0 ? $s << 15 : $e > 30 ? $s << 15 | 0x7c00 : $s << 15 | $e << 10 | $m >> 13 }
        my %pack = (
            F32 => sub { pack("V", f32($_[0])) },
            F64 => sub { pack("d<", $_[0]) },
            BF16 => sub { pack("v", f32($_[0]) >> 16) },
            F16 => sub { pack("v", half($_[0])) },
            F8_E5M2 => sub { chr(half($_[0]) >> 8) },
            I8 => sub { pack("c", int($_[0] * 20)) },
            I64 => sub { pack("q<", int($_[0] * 1000)) });
        my %size = (F32 => 4, F64 => 8, BF16 => 2, F16 => 2, F8_E5M2 => 1, I8 => 1, I64 => 8);
        my @types = ("BF16", "F32", "F16", "F8_E5M2", "I8", "F64", "I64", "BF16");
        for my $k (0 .. $#types) {
            my ($t, $cols) = ($types[$k], 48 + 16 * $k);
            my $rows = int($total / @types / $size{$t} / $cols) || 1;
            my $from = length $data;
            for my $r (0 .. $rows - 1) { for my $c (0 .. $cols - 1) {
                my $x = gauss() * 2 ** ($r % 5) * (1 + $c % 3);
                $x = sin($r % 8 * $c / 9) if $k == 7;
                $x = 0 if $r == 3;
                $data .= $pack{$t}->($x) } }
            $head .= sprintf "%s\"layer.%d.weight\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}",
                $head ? "," : "", $k, $t, $rows, $cols, $from, length $data }
        $head = "{$head}"; binmode STDOUT; print pack("Q<", length $head), $head, $data' "$1"
}

# A safetensors file of BF16 matrices of 128 KiB, each from a seed: NAME:SEED...
shard_input() {
    perl -e '
        my ($head, $data) = ("", "");
        for (@ARGV) {
            my ($name, $seed) = split /:/;
            srand($seed);
            $head .= sprintf "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":[256,256],\"data_offsets\":[%d,%d]}",
                $head ? "," : "", $name, length $data, (length $data) + (1 << 17);
            $data .= pack("v", int(rand(2)) << 15 | int(112 + 10 * sqrt(rand)) << 7 | int(rand(128)))
                for 1 .. 1 << 16 }
        $head = "{$head}"; binmode STDOUT; print pack("Q<", length $head), $head, $data' "$@"
}
