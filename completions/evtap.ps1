# Completion of evtap for PowerShell. evtap itself says what may come next.
# Goes to $PROFILE, or is dot-sourced by it.

Register-ArgumentCompleter -Native -CommandName evtap -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        $_.Extent.Text.Trim("'", '"')
    })
    $program = $words[0]
    $before = @($words | Select-Object -Skip 1)
    & $program __complete "--current=$wordToComplete" -- @before 2>$null | ForEach-Object {
        if ($_ -eq ':path') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } else {
            $word, $meaning = $_ -split "`t", 2
            if (-not $meaning) { $meaning = $word }
            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $meaning)
        }
    }
}
