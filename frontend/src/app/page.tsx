import { redirect } from "next/navigation";
import { Suspense } from "react";

import { App } from "@/components/tasks/app";
import { currentUser } from "@/lib/auth";
import { readEnv } from "@/lib/env";

export default async function Page() {
  const user = await currentUser();
  if (!user) redirect("/sign-in");
  const { id, name, email } = user;
  return (
    <Suspense>
      <App backendUrl={readEnv().backendUrl} user={{ id, name, email }} />
    </Suspense>
  );
}
