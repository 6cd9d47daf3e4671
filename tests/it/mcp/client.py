"""Uses every tool of `evtap mcp` with the official client, in both ways of opening a session."""

import asyncio
import json
import sys

from mcp import Client, MCPError, StdioServerParameters


async def use(mode, program, recording):
    server = StdioServerParameters(command=program, args=["mcp", "--demo-rate", "100", recording])
    async with Client(server, mode=mode, read_timeout_seconds=80) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"schema", "find", "stats", "timeline", "tail"}, tools
        assert all(tool.annotations.read_only_hint for tool in tools.values())

        async def call(tool, **arguments):
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result
            return result.structured_content, result.content[0].text

        fields, _ = await call("schema", type="call.ended")
        assert fields["events"][0]["event_type"] == "call.ended", fields

        events, cursor = [], None
        while True:
            page, text = await call("find", limit=50, **({"cursor": cursor} if cursor else {}))
            assert json.loads(text) == page
            assert page["gaps"] == []
            events += page["events"]
            cursor = page["next"]
            assert page["complete"] == (cursor is None), page
            if cursor is None:
                break
        assert len(events) == 120, len(events)

        counted, _ = await call("stats", types=["call.ended"])
        assert counted["events"] == 60 and counted["complete"], counted

        listed, _ = await call("timeline")
        sid = listed["calls"][5]["call_sid"]
        course, _ = await call("timeline", call=sid)
        assert course["call_sid"] == sid and course["entries"], course

        heard, _ = await call("tail", source="demo", limit=5, seconds=60)
        assert len(heard["events"]) == 5 and heard["next"], heard

        wrong = await client.call_tool("find", {"query": ".durations > 5"})
        assert wrong.is_error and "duration_seconds" in wrong.content[0].text, wrong

        try:
            await client.call_tool("delete", {})
            raise AssertionError("there is no such tool")
        except MCPError as error:
            assert "no such tool" in str(error), error

        several = [client.call_tool("stats", {}) for _ in range(6)]
        for result in await asyncio.gather(*several):
            assert result.structured_content["events"] == 120, result
    print(f"{mode}: all well", flush=True)


async def main():
    for mode in ["auto", "legacy"]:
        await use(mode, *sys.argv[1:])


asyncio.run(main())
