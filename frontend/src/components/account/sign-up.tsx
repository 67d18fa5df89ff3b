"use client";

import { NewPasswordField, TextField } from "@/components/account/fields";
import { Form } from "@/components/account/form";
import { authClient } from "@/lib/auth-client";
import { goToTasks } from "@/lib/navigation";

export function SignUp() {
  return (
    <Form
      submit="Create account"
      onSubmit={({ name = "", email = "", password = "" }) => authClient.signUp.email({ name, email, password })}
      onDone={goToTasks}
    >
      <TextField name="name" label="Name" autoComplete="name" maxLength={100} />
      <TextField name="email" label="Email" type="email" autoComplete="username" />
      <NewPasswordField name="password" label="Password" />
    </Form>
  );
}
