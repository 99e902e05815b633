# Completion of nzip, nunzip and nzcat for fish.

function __nzip_unpacks
    __fish_contains_opt -s d decompress || __fish_contains_opt -s t test \
        || __fish_contains_opt -s l list tensor
end

# Tensors of the archives on the command line.
function __nzip_tensors
    for word in (commandline -po)[2..] (commandline -p | string match -ar '\S+\.nz(?=\s|$)')
        string match -q '*.nz' -- $word && test -f $word || continue
        nzip -lq -- $word 2>/dev/null | string replace -rf \
            '^ *(?:\d+|-) +\d+ +(?:\d+\.\d+|-) .* (?:\d+(?:x\d+)*|-)  +(.*)$' '$1'
    end
end

function __nzip_archives
    string match -r '.*(?:\.nz|/)(?:\t.*|$)' -- (__fish_complete_path (commandline -ct))
end

complete -c nzip -n __nzip_unpacks -f -a '(__nzip_archives)'
complete -c nzip -s z -l compress -d 'Compress'
complete -c nzip -s d -l decompress -d 'Restore FILE from FILE.nz'
complete -c nzip -s t -l test -d 'Decode and check, write nothing'
complete -c nzip -s l -l list -d 'Sizes, ratio, method, tensors'
complete -c nzip -l salvage -d 'Of a damaged archive what is left'
complete -c nzip -l tensor -x -a '(__nzip_tensors)' -d 'Of a checkpoint this tensor alone'
complete -c nzip -s 1 -l fast -d 'Fastest'
for level in 2 3 4 5 6 7 8
    complete -c nzip -s $level -d "Level $level"
end
complete -c nzip -s 9 -l best -d 'Smallest'
complete -c nzip -l csv -r -F -d 'Of bench: the table'
complete -c nzip -l svg -r -F -d 'Of bench: the picture'
complete -c nzip -l dtype -x -d 'The input is an array of such numbers' \
    -a 'BF16 F16 F32 F64 F8_E4M3 F8_E5M2 I8 I16 I32 I64 U8 U16 U32 U64 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K'
complete -c nzip -l base -r -F -d 'Pack tensors by their difference from this file'
complete -c nzip -l weights -x -a 'auto off turbo fast max' -d 'How tensors are packed'
complete -c nzip -l prior -x -a 'auto off prose markup code data' -d 'Text the model reads first'
complete -c nzip -l no-prior -d 'The model reads no text first'
complete -c nzip -s c -l stdout -d 'Write to standard output'
complete -c nzip -s o -l output -r -F -d 'Write to this file'
complete -c nzip -s f -l force -d 'Overwrite, follow links'
complete -c nzip -s k -l keep -d 'Keep the input'
complete -c nzip -l rm -d 'Remove the input once the output is safe'
complete -c nzip -s r -l recursive -d 'Go into directories'
complete -c nzip -l check -d 'Decode a new archive before it gets its name'
complete -c nzip -s T -l threads -x -a '0 1 2 4 8 16' -d 'Cores to use'
complete -c nzip -s M -l memory -x -a '1G 2G 4G 8G 16G 25% 50% 75%' -d 'Memory limit'
complete -c nzip -l frame -x -a '64K 256K 1M 4M 16M 64M 256M 1G' -d 'Raw bytes a frame'
complete -c nzip -s q -l quiet -d 'No warnings, no progress'
complete -c nzip -s v -l verbose -d 'One summary line a file'
complete -c nzip -s h -l help -d 'Help'
complete -c nzip -s V -l version -d 'Version and kernels'

complete -c nunzip -w nzip -f -a '(__nzip_archives)'
complete -c nzcat -w nzip -f -a '(__nzip_archives)'
