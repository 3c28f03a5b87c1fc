/** What the service refuses, by its code (`code` of a problem); `{…}` are its parameters. */

export const problems = {
  problems: {
    "alert-closed": "This alert is over.",
    "alert-state": "This alert is not in a state that allows it.",
    "bed-taken": "Bed {bed} of ward {ward} is taken.",
    "device-taken": "Device {device} of ward {ward} is attached to another patient.",
    "stay-over": "This stay is over.",
    "rule-disabled": "The rule is switched off for this patient ({flag}).",
    "user-exists": "There is a user {login} already.",
    "last-admin": "This is the last administrator of all wards. Make another one first.",
    "password-short": "A password has at least {least} characters.",
    "password-long": "A password has at most {most} characters.",
    "password-common": "This password is one of the first that are guessed. Choose another.",
    "password-wrong": "The current password is wrong.",
    "password-elsewhere": "Your password is kept by the hospital's log-in. Change it there.",
    "rule-changed": "The rule was changed since you read it. Read it again.",
    "plan-changed": "The plan was changed since you read it. Read it again.",
    "other-ward": "Ward {ward} is not one of yours.",
    role: "Your role does not allow it.",
    future: "An observation cannot be of the future.",
    busy: "Too much is being asked at this moment. Try again in a few seconds.",
  } as Readonly<Record<string, string>>,
};
