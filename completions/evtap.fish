# Completion of evtap for fish. evtap itself says what may come next.
# Goes to ~/.config/fish/completions/evtap.fish.

function __evtap_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    set -l current (string unescape -- $typed; or echo $typed)
    set -l program $before[1]
    set -e before[1]
    set -l next ($program __complete --current="$current" -- $before 2>/dev/null)
    if test "$next" = :path
        # The name of an option may stand before the path.
        set -l option (string match -r -- '^--[^=]*=' $current)
        for path in (__fish_complete_path (string replace -- "$option" '' "$current"))
            printf '%s\n' "$option$path"
        end
    else
        printf '%s\n' $next
    end
end

complete -c evtap -f -a '(__evtap_complete)'
