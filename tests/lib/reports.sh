# Sourced by cli.sh: nzip explain and nzip bench.

# As an XML parser sees it: tags close in order, attributes are quoted, nothing else is markup.
well_formed() { # FILE
    perl -0777 -ne 'my @open; utf8::decode($_) or die "not UTF-8\n";
        /\G<!DOCTYPE html>/gc;
        until (/\G\z/gc) {
            if (/\G(?:[^<&\x00-\x08\x0b-\x1f]|&(?:lt|gt|amp|quot|#\d+);)+/gc) { }
            elsif (/\G<([a-z0-9]+)(?:\s+[A-Za-z:-]+="[^"<]*")*\s*(\/?)>/gc) { push @open, $1 unless $2 }
            elsif (/\G<\/([a-z0-9]+)>/gc) { (pop @open // "") eq $1 or die "</$1> closes another\n" }
            else { die "no markup: ", substr($_, pos() // 0, 40), "\n" } }
        die "open: @open\n" if @open' "$1"
}

no_script() { # FILE
    ! grep -iqE '<script|javascript:|onerror|src=|href=|@import|url\(' "$1" || { echo "a script in $1" && return 1; }
}

explaining() {
    local name='<b>&".txt'
    { head -c 3000 "$top/text" && printf '<script>alert(1)</script> &amp; \0\377\342\200\256\r\n\357\277\277'; } >"$name"
    status 0 "$nzip" explain -1 "$name" && silent && only "$name" "$name.html" || return 1
    well_formed "$name.html" && no_script "$name.html" || return 1
    grep -q '<h1>&lt;b&gt;&amp;&quot;.txt</h1>' "$name.html" && grep -q '\\x00' "$name.html" &&
        grep -q '\\xe2' "$name.html" && grep -q ' bits">' "$name.html" && grep -q '<th>orders</th>' "$name.html" || return 1
    status 1 "$nzip" explain -1 "$name" && says "already exists" || return 1
    cp "$name.html" want && status 0 "$nzip" explain -1f -o page "$name" && cmp page want
}

explaining_archives() {
    "$nzip" -1 -c "$top/text" >a.nz && "$nzip" -1 -c "$top/random" >>a.nz || return 1
    status 0 "$nzip" explain -c a.nz >page && well_formed page && grep -q 'stored' page &&
        grep -q '120,000</b> bytes' page || return 1
    status 0 "$nzip" explain - <a.nz >again && only a.nz again page || return 1
    flip a.nz 200 1 >bad.nz
    status 1 "$nzip" explain bad.nz && says "bad.nz: at byte 8: " || return 1
    flip a.nz 50000 1 >bad.nz # stored
    status 1 "$nzip" explain bad.nz && says "bad.nz: at byte " && only a.nz again bad.nz page
}

explaining_checkpoints() {
    weights_input 60000 >w
    status 0 "$nzip" explain -3 w && well_formed w.html && grep -q 'layer.1.weight' w.html &&
        grep -q 'title="exponent: ' w.html && grep -q '<th>tensors</th>' w.html
}

# Whatever is in a file: a page, and no large one.
explaining_anything() {
    local file
    : >empty
    printf x >one
    perl -e 'srand(3); print map { chr((1 .. 8, 127, 194)[rand 10]) } 1 .. 100000' >controls
    image_input 30000 >image
    program_input 30000 "$nzip" >program
    for file in empty one controls image program; do
        status 0 "$nzip" explain -3 $file && well_formed $file.html || return 1
        [ "$(stat -c %s $file.html)" -lt 2000000 ] || { echo "$file.html is large" && return 1; }
    done
}

comparing() {
    local n
    cp "$top/text" 'a "b", c'
    head -c 3000 "$top/text" >b
    status 0 "$nzip" bench -1 --csv=r.csv --svg=r.svg 'a "b", c' b >said && silent &&
        grep -q 'all files' said && grep -q 'nzip -1' said || return 1
    n=$("$nzip" -1 -c 'a "b", c' | wc -c)
    grep -q "^\"a \"\"b\"\", c\",nzip,-1,20000,$n," r.csv || { cat r.csv && return 1; }
    perl -ne 's/"(""|[^"])*"/x/; my @f = split /,/; die "$. has " . @f . "\n" if @f != 13;
        if ($. > 1) { for (@f[3 .. 10]) { die "$_\n" unless $_ > 0 } }
        elsif ($_ ne "file,codec,setting,raw,packed,ratio,bpb,pack_cpu_s,pack_s,unpack_cpu_s,unpack_s,pack_memory,unpack_memory\n") { die }' \
        r.csv && well_formed r.svg && no_script r.svg || return 1
    status 1 "$nzip" bench -1 --csv=r.csv b && says "already exists" &&
        only 'a "b", c' b r.csv r.svg said
}

commands() {
    cp "$top/text" bench
    status 1 "$nzip" bench && says "./bench" && status 1 "$nzip" explain && says "no FILE" || return 1
    status 1 "$nzip" bench -d a && says "not for it" && status 1 "$nzip" explain --rm a || return 1
    status 1 "$nzip" explain -o x a b && says "one FILE" && status 1 "$nzip" bench -c a || return 1
    status 1 "$nzip" --csv=x a && says bench && only bench || return 1
    status 0 "$nzip" -1 bench && only bench bench.nz && status 0 "$nzip" -1f ./bench || return 1
    status 1 "$nzip" bench nothing && says nothing && status 2 "$nzip" explain . && says directory
}
