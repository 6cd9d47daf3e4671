//! What callers and agents say. All of it is invented, and much of it is of the kind that a real
//! call would have to keep private.

/// What a call is about.
#[derive(Debug)]
pub struct CallTopic {
    /// The first words of the agent.
    pub greeting: &'static str,
    /// What follows, turn by turn.
    pub turns: &'static [DialogueTurn],
}

/// The caller says something, and the agent answers.
#[derive(Debug)]
pub struct DialogueTurn {
    /// The caller's words. `{name}` and `{phone}` are the caller's.
    pub caller: &'static str,
    /// The agent's words.
    pub agent: &'static str,
    /// The state that the agent is in afterwards.
    pub state: &'static str,
    /// The tool that the agent needs for it.
    pub tool: Option<ToolUse>,
    /// How the caller sounds.
    pub mood: Mood,
}

/// The words of the operator and the caller, in turns, after a person has taken over.
pub const HANDED_OVER: &[&str] = &[
    "Hello, this is {operator}. I have read what you told my colleague. How do you feel right now?",
    "A little better. It only hurts when I move.",
    "Then please come in at once, and don't drive yourself.",
    "My sister can bring me. Her number is {phone}, if you need it.",
    "Good. I'll meet you at the front desk.",
];

/// A tool that calls another.
#[derive(Debug)]
pub struct ToolUse {
    /// Its name.
    pub name: &'static str,
    /// The tool that it calls.
    pub inner: &'static str,
    /// The integration that it belongs to.
    pub integration: &'static str,
    /// What both answer; `None` where they fail.
    pub output: Option<&'static str>,
}

/// Returns the names of all tools.
pub fn tools() -> impl Iterator<Item = &'static str> {
    let turns = TOPICS.iter().flat_map(|topic| topic.turns);
    turns.filter_map(|turn| turn.tool.as_ref()).flat_map(|tool| [tool.name, tool.inner])
}

/// Returns the tool with a name.
pub fn tool_named(name: &str) -> Option<&'static str> {
    tools().find(|tool| *tool == name)
}

/// How a caller sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Nothing to worry about.
    Calm,
    /// Uneasy.
    Worried,
    /// Out of patience.
    Cross,
    /// Glad to hear it.
    Relieved,
}

const fn tool(
    name: &'static str,
    inner: &'static str,
    integration: &'static str,
    output: Option<&'static str>,
) -> ToolUse {
    ToolUse { name, inner, integration, output }
}

const fn turn(
    caller: &'static str,
    agent: &'static str,
    state: &'static str,
    tool: Option<ToolUse>,
    mood: Mood,
) -> DialogueTurn {
    DialogueTurn { caller, agent, state, tool, mood }
}

/// All topics. The first is the demo call's.
pub const TOPICS: &[CallTopic] = &[
    CallTopic {
        greeting: "Good morning, this is the virtual assistant of the Larkmere clinic. How can I help you today?",
        turns: &[
            turn(
                "Hi, this is {name}. I need to move my appointment on Thursday.",
                "Of course. May I have your date of birth and a telephone number, so that I find your record?",
                "identify",
                None,
                Mood::Calm,
            ),
            turn(
                "It's March fourteenth, nineteen eighty-five, and the number is {phone}.",
                "Thank you, I have found you. You are booked with Doctor Quillsby at ten in the morning.",
                "reschedule",
                Some(tool(
                    "find_patient",
                    "records_search",
                    "records",
                    Some(
                        r#"{"patient":"found","date_of_birth":"1985-03-14","next":"Thursday 10:00"}"#,
                    ),
                )),
                Mood::Calm,
            ),
            turn(
                "Right. My chest has felt tight since Sunday, so I'd rather come sooner.",
                "I am sorry to hear that. Does the pain get worse when you breathe in, or when you walk?",
                "triage",
                None,
                Mood::Worried,
            ),
            turn(
                "When I climb stairs, mostly. I have already told this to somebody yesterday!",
                "I see a note from yesterday, and I won't ask you to go through it again. Let me look for a place this morning.",
                "triage",
                Some(tool("find_slots", "calendar_search", "calendar", None)),
                Mood::Cross,
            ),
            turn(
                "Please do, I am really worried.",
                "There is a place at eleven thirty with Nurse Pellworth, and I would like a colleague to speak with you first.",
                "handover",
                Some(tool(
                    "book_slot",
                    "calendar_write",
                    "calendar",
                    Some(
                        r#"{"booked":"11:30","with":"Nurse Pellworth","reason":"chest tightness"}"#,
                    ),
                )),
                Mood::Relieved,
            ),
        ],
    },
    CallTopic {
        greeting: "Hello, you have reached the pharmacy line of the Larkmere clinic.",
        turns: &[
            turn(
                "Hello, {name} here, I am out of my blood pressure tablets.",
                "I can renew that. Are these the ten milligram tablets, once a day?",
                "refill",
                Some(tool(
                    "list_prescriptions",
                    "records_search",
                    "records",
                    Some(r#"{"drug":"lisinopril","dose":"10 mg"}"#),
                )),
                Mood::Calm,
            ),
            turn(
                "Yes, and I have been dizzy with them lately.",
                "Thank you for telling me. I will add that for the doctor, who may want to change the dose.",
                "refill",
                None,
                Mood::Worried,
            ),
            turn(
                "Will I get them today? You can text me at {phone}.",
                "They will be ready after four, and a text will tell you.",
                "closing",
                Some(tool(
                    "send_refill",
                    "pharmacy_order",
                    "pharmacy",
                    Some(r#"{"ready":"16:00"}"#),
                )),
                Mood::Relieved,
            ),
        ],
    },
    CallTopic {
        greeting: "Good afternoon, billing at the Larkmere clinic. What can I do for you?",
        turns: &[
            turn(
                "I got a bill for a visit that I never had. My name is {name}.",
                "Let me look at that. Is it the one over a hundred and twenty dollars?",
                "billing",
                Some(tool("find_invoice", "ledger_search", "ledger", None)),
                Mood::Cross,
            ),
            turn(
                "That's the one. I was in hospital that week, with my hip.",
                "I understand. I have marked the bill as disputed, and nothing is due until it is settled.",
                "closing",
                Some(tool(
                    "dispute_invoice",
                    "ledger_write",
                    "ledger",
                    Some(r#"{"invoice":"20-4417","status":"disputed"}"#),
                )),
                Mood::Relieved,
            ),
        ],
    },
    CallTopic {
        greeting: "Hello, this is the Larkmere clinic with your lab results line.",
        turns: &[
            turn(
                "Hi, {name}. Are the results of my thyroid test there?",
                "They came in this morning. The doctor has looked at them, and all values are normal.",
                "results",
                Some(tool(
                    "get_results",
                    "records_search",
                    "records",
                    Some(r#"{"test":"TSH","value":2.1,"flag":"normal"}"#),
                )),
                Mood::Worried,
            ),
            turn(
                "Oh, that's good news. And when do I come again?",
                "In six months. Shall I send you a reminder by text?",
                "reminder",
                None,
                Mood::Relieved,
            ),
            turn(
                "Yes please, to {phone}.",
                "Done. Is there anything else?",
                "closing",
                Some(tool(
                    "set_reminder",
                    "calendar_write",
                    "calendar",
                    Some(r#"{"reminder":"in 6 months"}"#),
                )),
                Mood::Calm,
            ),
        ],
    },
];
